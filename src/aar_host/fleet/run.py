"""`aar run`: the search until its time is up, then the final."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from aar_host.feedback import answer
from aar_host.fleet.campaign import Campaign, serving
from aar_host.fleet.finals import Opened, close_search, open_sealed
from aar_host.fleet.options import Options, ResearcherStatus, Show, Status
from aar_host.fleet.outcome import Ending, results
from aar_host.fleet.seats import Seats
from aar_host.jobs.executor import Executor, LocalExecutor
from aar_host.researchers.base import Researcher
from aar_host.researchers.search import Search
from aar_host.store.campaigns import get_campaign, set_state
from aar_host.store.jobs import count_jobs
from aar_host.store.ledger import verify_ledger
from aar_host.store.schema import CampaignState
from aar_host.store.scores import leaderboard
from aar_host.store.submissions import UNFINISHED, list_submissions

POLL_SECONDS = 0.1
SHOW_SECONDS = 0.5
GRACE_SECONDS = 20.0


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


class _Run:
    """The state of one campaign while it runs."""

    def __init__(self, campaign: Campaign, options: Options, show: Show) -> None:
        self.campaign, self.options, self.show = campaign, options, show
        self.interrupts = Interrupts()
        self._shown = 0.0
        self._until = time.monotonic() + options.minutes * 60

    def search(self, seats: Seats, executor: Executor) -> str:
        """Until the time is up; returns why it stopped."""
        seats.start()
        while time.monotonic() < self._until:
            executor.tend()
            self.status("searching", seats)
            if self.interrupts.count:
                return "interrupt"
            if not seats.working():
                return "budget" if self._used_up() else "failure"
            time.sleep(POLL_SECONDS)
        return "time"

    def wind_down(self, seats: Seats, executor: Executor) -> None:
        """Give what has been handed in a short time to end, and its authors to post the outcome."""
        seats.wind_down()
        until = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < until and not self.interrupts.count:
            if not (seats.working() or self._busy()):
                return
            executor.tend()
            self.status("finishing jobs", seats)
            time.sleep(POLL_SECONDS)

    def final(self, seats: Seats, executor: Executor) -> list[Opened]:
        """Freeze and open."""
        close_search(self.campaign)
        before = self.interrupts.count
        return open_sealed(
            self.campaign,
            executor,
            lambda: self.interrupts.count > before,
            lambda: self.status("opening the sealed part", seats),
        )

    def _used_up(self) -> bool:
        found = get_campaign(self.campaign.store, self.campaign.id)
        return found.charged >= int(found.config["max_submissions"])

    def _busy(self) -> bool:
        found = list_submissions(self.campaign.store, self.campaign.id)
        return any(submission.status in UNFINISHED for submission in found)

    def status(self, phase: str, seats: Seats) -> None:
        """Show how things stand, twice a second."""
        now = time.monotonic()
        if now < self._shown + SHOW_SECONDS:
            return
        self._shown = now
        left = self._until - now
        self.show(_status(self.campaign, phase, seats, left if left > 0 else None))


def _status(campaign: Campaign, phase: str, seats: Seats, left: float | None) -> Status:
    found = list_submissions(campaign.store, campaign.id)
    best: dict[str, float] = {}
    for entry in leaderboard(campaign.store, campaign.id):
        pgr = answer(campaign.policy, entry.body)["pgr"]
        if pgr is not None:
            best[entry.author] = max(pgr, best.get(entry.author, pgr))
    rows = tuple(
        ResearcherStatus(name, state, action, sum(s.author == name for s in found), best.get(name))
        for name, (state, action) in seats.states.items()
    )
    jobs = {str(k): n for k, n in count_jobs(campaign.store, campaign.id).items()}
    return Status(rows, len(found), jobs, left, phase)


def run_campaign(
    campaign: Campaign,
    options: Options,
    watch: Callable[[], Any],
    driver: Researcher | None = None,
) -> Mapping[str, Any]:
    """Run a campaign that was set up to its end, and leave DIR/results.json.

    Args:
        watch: gives a context manager whose value shows each `Status`.
        driver: what works at every seat; the search if left out.
    """
    executor = LocalExecutor(campaign.store, options.out, options.workers)
    executor.start()
    try:
        with serving(campaign) as socket, watch() as show:
            run = _Run(campaign, options, show)
            with run.interrupts.listening():
                return _conduct(run, Seats(campaign, options, driver or Search(), socket), executor)
    finally:
        executor.stop()


def _conduct(run: _Run, seats: Seats, executor: Executor) -> Mapping[str, Any]:
    campaign, options = run.campaign, run.options
    try:
        stopped = run.search(seats, executor)
        run.wind_down(seats, executor)
    finally:
        seats.stop()
        seats.keep_files(options.out / "researchers")
    opened = run.final(seats, executor)
    verify_ledger(campaign.store)
    set_state(campaign.store, campaign.id, CampaignState.CLOSED)
    seconds = campaign.store.clock() - campaign.started
    ending = Ending(seconds, stopped, seats.directions)
    found = results(campaign, options, opened, ending)
    draft = options.out / ".results.json"
    draft.write_text(json.dumps(found, indent=1))
    draft.rename(options.out / "results.json")
    return found
