"""Time as a campaign counts it: only while it is served, over however many runs."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable

from aar_host.budgets import passed
from aar_host.store import Store
from aar_host.store.actors import researchers_in
from aar_host.store.campaigns import beat, get_campaign
from aar_host.store.ledger import Event, append
from aar_host.store.spending import budgets_of, tell_marks

BEAT_SECONDS = 0.5
STARTED = "run_started"


class Heart:
    """Counts the seconds for which a campaign is served; what a kill costs is less than a beat.

    Args:
        now: a monotonic clock, in seconds.
    """

    def __init__(
        self, store: Store, campaign: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._campaign, self._now = store, campaign, now
        plan = get_campaign(store, campaign)
        self.ran, self._limits = plan.ran, budgets_of(plan).limits("wall_seconds")
        self._last = now()
        with store.writing() as connection:
            started = Event(campaign, STARTED, {"ran": self.ran})
            append(connection, store.clock(), started)

    def beat(self, every: float = BEAT_SECONDS) -> float:
        """Add what has passed, once it is `every` seconds; returns the sum. Call it often."""
        passed = self._now() - self._last
        if passed >= every:
            self._last += passed
            before, self.ran = self.ran, beat(self._store, self._campaign, passed)
            self._tell(before)
        return self.ran

    def _tell(self, before: float) -> None:
        """An event for each mark of the time that has been passed, the pool's or a researcher's."""
        span = (before, self.ran)
        if not any(passed(limit, *span) for limit in self._limits):
            return
        plan = get_campaign(self._store, self._campaign)
        with self._store.writing() as connection:
            for whose in (None, *researchers_in(connection, self._campaign)):
                tell_marks(connection, (plan, whose), "wall_seconds", span, self._store.clock())


class Timeline:
    """At which second of a campaign something happened, without the time between its runs.

    Args:
        events: of the campaign; each run's start says how many seconds had been served before.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        starts = [(e.time, float(e.payload["ran"])) for e in events if e.kind == STARTED]
        self._starts = sorted(starts)

    def at(self, moment: float) -> float:
        """Seconds served until a moment, given in seconds since 1970."""
        index = bisect_right(self._starts, moment, key=lambda start: start[0])
        if index == 0:
            return 0.0
        begun, ran = self._starts[index - 1]
        most = self._starts[index][1] if index < len(self._starts) else float("inf")
        return min(ran + moment - begun, most)
