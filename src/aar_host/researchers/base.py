"""What a researcher is to the rest of the host, and where it sits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from aar_host.researchers.directions import Direction
from aar_lab.types import JobStatus

MODEL_PORT = 8377  # of the box's own loopback, at which its relay leads to the model


class Wire(StrEnum):
    """The protocol in which a program asks a model."""

    MESSAGES = "messages"
    RESPONSES = "responses"
    CHAT = "chat"


class CallOutcome(StrEnum):
    """What became of a model call, as the host's forwarder saw it."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    OVERFLOW = "overflow"
    OVER_BUDGET = "over_budget"
    NO_KEY = "no_key"
    DROPPED = "dropped"
    FAILED = "failed"


@dataclass(frozen=True)
class CallNote:
    """A model call of one researcher.

    Args:
        number: counts the calls of its seat in this run, from 1.
        tools: names of the tools that the model's answer calls.
    """

    number: int
    outcome: CallOutcome
    tools: tuple[str, ...] = ()


@dataclass(frozen=True)
class Launch:
    """One session of an agent: a program that works in the workspace until it ends.

    Args:
        command: its words.
        files: path in the workspace → text that is put there before.
        environment: variables, beside those of every box.
        mounts: path in the box → host file or directory, read-only.
        relay: whether the model is to be found at 127.0.0.1:MODEL_PORT of the box.
        outside: run as a process of the host, for a driver that puts only its tools into boxes.
        stdin: text that the program reads.
    """

    command: Sequence[str]
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    relay: bool = True
    outside: bool = False
    stdin: str = ""


class Cut(StrEnum):
    """Why the host ended a session."""

    STOPPED = "stopped"
    QUIET = "quiet"
    IDLE = "idle"
    FLOOD = "flood"
    TIME = "time"


@dataclass(frozen=True)
class SessionEnd:
    """How a session ended; `cut` is None where the program ended by itself."""

    status: JobStatus
    code: int | None
    log: str
    cut: Cut | None = None


@dataclass(frozen=True)
class Watch:
    """When a session is cut.

    Args:
        cut: asked several times a second; why the session shall end now, or None.
        line: is given every line of the program's output, of at most 1 MiB, without its end.
        bytes: of output beyond which the session is a flood.
        seconds: that it may last.
    """

    cut: Callable[[], Cut | None]
    line: Callable[[bytes], None]
    bytes: int = 64 << 20
    seconds: float = 24 * 3600.0


class Station(Protocol):
    """A researcher's seat: its box with the command `lab`, and a workspace for files."""

    @property
    def name(self) -> str:
        """Of the researcher, unique in its campaign."""

    @property
    def direction(self) -> Direction:
        """Where it was told to look; `UNDIRECTED` says nothing."""

    @property
    def seed(self) -> int:
        """Of everything that it draws."""

    @property
    def model(self) -> str | None:
        """What a program at this seat calls its model; None where it has none."""

    @property
    def wire(self) -> Wire | None:
        """The protocol that its model speaks."""

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

    def session(self, launch: Launch, watch: Watch) -> SessionEnd:
        """Run a program to its end in a box of its own at this workspace, or until it is cut.

        Raises:
            BadSettings: what it needs is not there.
            Unavailable: the seat is closed.
        """

    def calls(self, since: int = 0) -> Sequence[CallNote]:
        """The model calls of this seat in this run that have ended, with numbers above `since`."""


class Researcher(Protocol):
    """Something that does research at a station."""

    def run(self, station: Station, stop: Callable[[], bool]) -> None:
        """Work until `stop()` or until the host refuses more. No `LabError` leaves it.

        After `stop()` it begins nothing new, but may wait for what it has handed in and post the
        outcome; after a time of grace its seat is closed under it.
        """
