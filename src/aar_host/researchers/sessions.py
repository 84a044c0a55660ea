"""An agent as a researcher: one session after another, each begun afresh, until the end.

What lasts from one to the next is the workspace with the notebook, and what the host knows; so a
session that breaks off costs nothing but itself, and a campaign that is resumed simply goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aar_host.researchers.base import CallNote, Cut, Launch, Station, Watch
from aar_host.researchers.brief import write_brief
from aar_host.researchers.health import Health, classify, idle_turns
from aar_lab.errors import BadSettings, LabError, NotAuthorised, OverBudget

Stop = Callable[[], bool]


class Agent(Protocol):
    """A program that does research."""

    @property
    def name(self) -> str:
        """Of the driver, as in campaign files."""

    def launch(self, station: Station, brief: str) -> Launch:
        """One session at a seat; `BadSettings` if the program is missing."""


@dataclass(frozen=True)
class Patience:
    """When a session is cut and when an agent is given up.

    Args:
        idle_turns: model calls in a row, failed ones too, that came to no call of a tool; 0: any
            number, and a session may do without tools.
        quiet_seconds: without output and without a model call.
        seconds: of one session.
        failures: sessions in a row that came to nothing, after which no more are begun.
        first_pause: seconds after the first failure; each further one doubles them.
        longest_pause: seconds beyond which pauses do not grow.
    """

    idle_turns: int = 16
    quiet_seconds: float = 900.0
    seconds: float = 4 * 3600.0
    failures: int = 6
    first_pause: float = 5.0
    longest_pause: float = 300.0

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return float(min(self.longest_pause, self.first_pause * 2.0 ** (failures - 1)))


def pause_until(seconds: float, stop: Stop) -> None:
    """Wait, but not once all is to stop."""
    until = time.monotonic() + seconds
    while not stop() and (left := until - time.monotonic()) > 0:
        time.sleep(min(0.2, left))


@dataclass(frozen=True)
class Sessions:
    """See `base.Researcher`.

    Args:
        pause: waits so many seconds unless all is to stop.
    """

    agent: Agent
    patience: Patience = Patience()
    pause: Callable[[float, Stop], None] = pause_until

    def run(self, station: Station, stop: Stop) -> None:
        """See `base.Researcher`."""
        failures, number = 0, 0
        while not stop():
            number += 1
            health = self._attempt(station, stop, number)
            if health.final:
                station.report("finished", reason=health.fault or health.state)
                return
            failures = 0 if health.good else failures + 1
            if failures >= self.patience.failures:
                station.report(
                    "given_up", fault=f"{failures} sessions in a row failed", remedy=health.remedy
                )
                return
            if failures:
                seconds = self.patience.pause(failures)
                station.report("waiting", seconds=seconds, failures=failures)
                self.pause(seconds, stop)
        station.report("finished", reason="stopped")

    def _attempt(self, station: Station, stop: Stop, number: int) -> Health:
        """One session from its brief to its end, told as an event; never an error."""
        try:
            return self._session(station, stop, number)
        except (OverBudget, NotAuthorised, BadSettings) as refusal:
            health = Health(refusal.code, f"{refusal.value}: {refusal.fault}", refusal.remedy, True)
        except LabError as error:
            health = Health("hindered", f"{error.value}: {error.fault}", error.remedy, stop())
        _tell(station, health, session=number)
        return health

    def _session(self, station: Station, stop: Stop, number: int) -> Health:
        brief, told = write_brief(station)
        if told.get("state", "open") != "open":
            return Health(f"the campaign is {told['state']}", final=True)
        if not told.get("submissions_left", 1):
            return Health("no submission is left", final=True)
        launch = self.agent.launch(station, brief)
        follower = _Follower(station, stop, self.patience)
        station.report("session_started", session=number, driver=self.agent.name)
        end = station.session(launch, follower.watch())
        health = classify(end, follower.calls(), tools=self.patience.idle_turns > 0)
        _tell(station, health, session=number, **follower.facts())
        return health


def _tell(station: Station, health: Health, **facts: Any) -> None:
    more = {"fault": health.fault, "remedy": health.remedy} if health.fault else {}
    station.report(f"session_{health.state}", **facts, **more)


class _Follower:
    """Watches one session."""

    def __init__(self, station: Station, stop: Stop, patience: Patience) -> None:
        self._station, self._stop, self._patience = station, stop, patience
        before = station.calls()
        self._first = before[-1].number if before else 0
        self._seen, self._lines = self._first, 0
        self._began = self._alive = time.monotonic()

    def watch(self) -> Watch:
        """What the station is given."""
        return Watch(self._cut, self._line, seconds=self._patience.seconds)

    def calls(self) -> Sequence[CallNote]:
        """The model calls of this session."""
        return self._station.calls(self._first)

    def facts(self) -> dict[str, Any]:
        """What is told of the session."""
        calls = self.calls()
        return {
            "seconds": round(time.monotonic() - self._began, 1),
            "calls": len(calls),
            "tools": sum(len(note.tools) for note in calls),
            "lines": self._lines,
        }

    def _line(self, line: bytes) -> None:
        self._lines += 1
        self._alive = time.monotonic()

    def _cut(self) -> Cut | None:
        if self._stop():
            return Cut.STOPPED
        new = self._station.calls(self._seen)
        if new:
            self._seen, self._alive = new[-1].number, time.monotonic()
            if 0 < self._patience.idle_turns <= idle_turns(self.calls()):
                return Cut.IDLE
        quiet = time.monotonic() - self._alive > self._patience.quiet_seconds
        return Cut.QUIET if quiet else None
