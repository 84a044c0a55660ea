"""What a researcher is to the rest of the host, and where it sits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aar_host.researchers.directions import Direction


class Station(Protocol):
    """A researcher's seat: its box with the command `lab`, and a workspace for files."""

    @property
    def name(self) -> str:
        """Of the researcher, unique in its campaign."""

    @property
    def direction(self) -> Direction:
        """Where it was told to look."""

    @property
    def seed(self) -> int:
        """Of everything that it draws."""

    def lab(self, *words: str) -> dict[str, Any]:
        """Run one `lab` command in the box and return what `--json` prints.

        Raises:
            LabError: the typed error that the command answered with.
            JobFailed: the box died during the command, or was ended for taking too long.
            Unavailable: the box died too often, or the seat is closed.
        """

    def write(self, relative: str, text: str) -> None:
        """Write a file of the workspace; `BadInput` if that is not possible."""

    def read(self, relative: str) -> str:
        """The text of a file of the workspace; `BadInput` if it is no plain, short file."""

    def report(self, state: str, **facts: Any) -> None:
        """Tell the fleet what happens, in JSON; shown live, kept as an event."""


class Researcher(Protocol):
    """Something that does research at a station."""

    def run(self, station: Station, stop: Callable[[], bool]) -> None:
        """Work until `stop()` or until the host refuses more. No `LabError` leaves it.

        After `stop()` it begins nothing new, but may wait for what it has handed in and post the
        outcome; after a time of grace its seat is closed under it.
        """
