"""The terminal while a campaign runs: a live table, or now and then a line if nobody watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from aar_host.fleet.options import Status
from aar_host.report.text import NONE, clean, clock, count, number

SECONDS_BETWEEN_LINES = 10.0
NAME, ACTION = 24, 60
UNFINISHED, GOOD = ("queued", "running"), "done"


class LiveView:
    """Shows statuses between `with` and its end.

    Where the output is no terminal, it prints a plain line at the first status, then at most one
    in `SECONDS_BETWEEN_LINES`, and one at the end.

    Args:
        json: stdout belongs to a JSON document, so everything goes to stderr.
        console: where to write instead; `json` has then no meaning.
        now: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        json: bool = False,
        console: Console | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(stderr=json)
        self._now = now
        self._live: Live | None = None
        self._last: Status | None = None
        self._printed: Status | None = None
        self._next_line = -float("inf")

    def __enter__(self) -> LiveView:
        if self._console.is_terminal:
            # Redirection would carry what others print on stdout to this console's stream.
            self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False)
            self._live.start()
        return self

    def update(self, status: Status) -> None:
        """Show this state from now on."""
        self._last = status
        if self._live is not None:
            self._live.update(render(status), refresh=True)
        elif self._now() >= self._next_line:
            self._next_line = self._now() + SECONDS_BETWEEN_LINES
            self._print_line(status)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        elif self._last is not None and self._last is not self._printed:
            self._print_line(self._last)

    def _print_line(self, status: Status) -> None:
        self._printed = status
        self._console.print(Text(line(status)), soft_wrap=True)


def render(status: Status) -> Group:
    """A table of the researchers above a line of totals."""
    table = Table(expand=True, box=SIMPLE_HEAD)
    for name in ("researcher", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("last action", ratio=1, no_wrap=True, overflow="ellipsis")
    for name in ("submissions", "best public PGR"):
        table.add_column(name, justify="right", no_wrap=True)
    lead = max((row.best for row in status.researchers if row.best is not None), default=None)
    for row in status.researchers:
        table.add_row(
            Text(clean(row.name, NAME)),
            Text(clean(row.state, NAME)),
            Text(clean(row.last_action, ACTION)),
            str(row.submissions),
            Text(number(row.best), "" if row.best is None or row.best != lead else "bold green"),
        )
    return Group(table, Text(_totals(status)))


def line(status: Status) -> str:
    """The state on one line."""
    scored = [(row.best, row.name) for row in status.researchers if row.best is not None]
    lead = NONE
    if scored:
        best, name = max(scored)
        lead = f"{number(best)} by {clean(name, NAME)}"
    return f"{_totals(status)} · best public PGR {lead}"


def _totals(status: Status) -> str:
    jobs = status.jobs
    failed = sum(amount for name, amount in jobs.items() if name not in (*UNFINISHED, GOOD))
    counts = [f"{jobs.get(name, 0)} {name}" for name in (*UNFINISHED, GOOD)]
    left = "" if status.seconds_left is None else f"{clock(status.seconds_left)} left · "
    made = count(status.submissions, "submission")
    phase = f"{status.phase} · " if status.phase else ""
    return f"{phase}{left}{made} · jobs: {', '.join(counts)}, {failed} failed"
