"""A seat for a person: it is kept free, and whoever takes it works in its box by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from aar_host.researchers.base import Station

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Human:
    """See `base.Researcher`: waits while somebody may sit down with `aar sit`.

    Args:
        pause: waits so many seconds.
    """

    pause: Callable[[float], None] = time.sleep

    def run(self, station: Station, stop: Callable[[], bool]) -> None:
        """Keep the seat until `stop()`."""
        station.report("free", title=f"a person may sit down: aar sit DIR {station.name}")
        while not stop():
            self.pause(POLL_SECONDS)
        station.report("finished", reason="stopped")
