"""`aar run`: the search until its time is up, then the final. Every step may follow a kill."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from aar_host.budgets import MARKS
from aar_host.fleet.campaign import Campaign, serving
from aar_host.fleet.drivers import driver_of
from aar_host.fleet.finals import close_search, open_sealed
from aar_host.fleet.observing import observing
from aar_host.fleet.options import GRACE_SECONDS, Options, Show
from aar_host.fleet.outcome import Ending, results
from aar_host.fleet.seats import Driver, Hosting, Seats
from aar_host.fleet.standing import standing
from aar_host.fleet.timeline import Heart
from aar_host.jobs.executor import Executor, LocalExecutor
from aar_host.store.campaigns import get_campaign, set_state
from aar_host.store.jobs import requeue_lost
from aar_host.store.ledger import Event, append, events, verify_ledger
from aar_host.store.schema import CampaignState
from aar_host.store.spending import settle_lost
from aar_host.store.submissions import UNFINISHED, list_submissions

POLL_SECONDS = 0.1
SHOW_SECONDS = 0.5
ENDED = "search_ended"


class Interrupts:
    """Counts Ctrl-C: the first ends the search, the second ends the final too."""

    def __init__(self) -> None:
        self.count = 0

    def handle(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        self.count += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM while the context lasts."""
        before = {s: signal.signal(s, self.handle) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Run:
    """One run of a campaign, which may have been run before.

    Args:
        executor: its workers, at work.
        show: is shown how things stand.
    """

    def __init__(
        self, campaign: Campaign, options: Options, executor: Executor, show: Show
    ) -> None:
        self.campaign, self.options, self.executor = campaign, options, executor
        self.interrupts = Interrupts()
        self.seats: Mapping[str, tuple[str, str]] = {}
        self._show, self._shown = show, 0.0
        self._heart = Heart(campaign.store, campaign.id)
        self._seconds = options.seconds

    @property
    def state(self) -> CampaignState:
        """How far the campaign is."""
        return get_campaign(self.campaign.store, self.campaign.id).state

    @property
    def left(self) -> float:
        """Seconds of the search that are left, at least 0."""
        return max(0.0, self._seconds - self._heart.ran)

    @property
    def ran(self) -> float:
        """Seconds that the search has had so far."""
        return self._heart.ran

    @property
    def stopped(self) -> str | None:
        """Why the search ended, in whatever run; None while it has not."""
        found = events(self.campaign.store, self.campaign.id)
        return next((e.payload["stopped"] for e in found if e.kind == ENDED), None)

    def end_search(self, stopped: str) -> None:
        """Write down why the search ended; what was written first stays."""
        if self.stopped is None:
            store = self.campaign.store
            with store.writing() as connection:
                event = Event(self.campaign.id, ENDED, {"stopped": stopped})
                append(connection, store.clock(), event)

    def tick(self, phase: str) -> None:
        """Look after the workers, count the time, show how things stand; then wait a moment."""
        self.executor.tend()
        self.show(phase)
        time.sleep(POLL_SECONDS)

    def show(self, phase: str) -> None:
        """Count the time, and show how things stand twice a second."""
        self._heart.beat()
        now = time.monotonic()
        if now >= self._shown + SHOW_SECONDS:
            self._shown = now
            self._show(standing(self.campaign, phase, self.seats, self.left or None))

    def busy(self) -> bool:
        """Whether a submission has not ended."""
        found = list_submissions(self.campaign.store, self.campaign.id)
        return any(submission.status in UNFINISHED for submission in found)

    def finish_all(self) -> None:
        """Let every submission end, until Ctrl-C."""
        before = self.interrupts.count
        while self.interrupts.count == before and self.busy():
            self.tick("finishing jobs")

    def final(self) -> Mapping[str, Any]:
        """Freeze, open, and leave DIR/results.json; goes on from wherever it was interrupted."""
        campaign, before = self.campaign, self.interrupts.count
        close_search(campaign)
        opened = open_sealed(
            campaign,
            self.executor,
            lambda: self.interrupts.count > before,
            lambda: self.show("opening the sealed part"),
        )
        verify_ledger(campaign.store)
        if self.state is not CampaignState.CLOSED:
            set_state(campaign.store, campaign.id, CampaignState.CLOSED)
        ending = Ending(self._heart.beat(0.0), self.stopped or "time", self.options.directions)
        found = results(campaign, self.options, opened, ending)
        draft = self.options.out / ".results.json"
        draft.write_text(json.dumps(found, indent=1))
        draft.rename(self.options.out / "results.json")
        return found


@contextmanager
def running(campaign: Campaign, options: Options, watch: Callable[[], Any]) -> Iterator[Run]:
    """A run with its workers; Ctrl-C is counted while it lasts.

    For whoever holds the directory: what an earlier run left at work is queued again.
    """
    executor = LocalExecutor(campaign.store, options.out, options.workers)
    executor.clear()
    requeue_lost(campaign.store, campaign.id, everyone=True, counted=False)
    settle_lost(campaign.store, campaign.id)
    executor.start()
    try:
        with watch() as show:
            run = Run(campaign, options, executor, show)
            with run.interrupts.listening():
                yield run
    finally:
        executor.stop()


def run_campaign(
    campaign: Campaign,
    options: Options,
    watch: Callable[[], Any],
    driver: Driver = driver_of,
) -> Mapping[str, Any]:
    """Run a campaign to its end, from wherever it is, and leave DIR/results.json.

    Args:
        watch: gives a context manager whose value shows each `Status`.
        driver: makes what works at a seat.
    """
    with running(campaign, options, watch) as run:
        if run.state is CampaignState.OPEN:
            with serving(campaign) as socket:
                hosting = Hosting(socket, driver, lambda: run.ran)
                with Seats(campaign, options, hosting) as seats:
                    _search(run, seats)
        return run.final()


def _search(run: Run, seats: Seats) -> None:
    run.seats = seats.states
    if run.stopped is not None:
        seats.wind_down()
    with observing(run.campaign, run.options, seats, lambda: run.interrupts.count > 1):
        try:
            seats.start()
            if run.stopped is None:
                run.end_search(_until_stopped(run, seats))
            _wind_down(run, seats)
        finally:
            seats.stop()


def _until_stopped(run: Run, seats: Seats) -> str:
    """Until the time is up; returns why it stopped."""
    while run.left > 0:
        run.tick("searching")
        if run.interrupts.count:
            return "interrupt"
        if not seats.working():
            return "budget" if _used_up(run.campaign) else "failure"
    return "time"


def _wind_down(run: Run, seats: Seats) -> None:
    """Give what has been handed in a short time to end, and its authors to post the outcome."""
    seats.wind_down()
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until and not run.interrupts.count:
        if not (seats.working() or run.busy()):
            return
        run.tick("finishing jobs")


def _used_up(campaign: Campaign) -> bool:
    found = get_campaign(campaign.store, campaign.id)
    warnings = (e for e in events(campaign.store, campaign.id) if e.kind == "budget_warning")
    spent = any(event.payload["share"] == MARKS[-1] for event in warnings)
    return spent or found.charged >= int(found.config["max_submissions"])
