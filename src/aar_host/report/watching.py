"""The terminal of somebody who follows a campaign: a table, and its events as lines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from aar_host.fleet.observe import SeatView, View
from aar_host.report.live import GOOD, UNFINISHED
from aar_host.report.text import clean, clock, count, number
from aar_lab.digest import canonical

NAME, ACTION, LINE = 24, 60, 400
STYLES = {0.5: "", 0.8: "yellow", 1.0: "bold red"}


def render(view: View) -> Group:
    """A table of the researchers, totals, and what a person should look at."""
    table = Table(expand=True, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for name in ("researcher", "driver", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("last action", ratio=1, no_wrap=True, overflow="ellipsis")
    for name in ("made", "best", "$", "budget"):
        table.add_column(name, justify="right", no_wrap=True)
    for seat in view.researchers:
        table.add_row(*_cells(seat))
    notes = (Text(clean(note, LINE), "yellow", no_wrap=True) for note in view.notes)
    return Group(table, Text(totals(view)), *_marks(view), *notes)


def _cells(seat: SeatView) -> list[Text]:
    words = (seat.name, seat.driver, seat.state)
    return [
        *(Text(clean(word, NAME)) for word in words),
        Text(clean(seat.action, ACTION)),
        Text(str(seat.submissions)),
        Text(number(seat.best)),
        Text(number(seat.dollars)),
        _highest(seat.marks),
    ]


def _highest(marks: Mapping[str, float]) -> Text:
    """The resource that is nearest to its end."""
    if not marks:
        return Text("")
    resource, share = max(marks.items(), key=lambda mark: mark[1])
    return Text(f"{resource} {share:.0%}", STYLES.get(share, ""))


def _marks(view: View) -> list[Text]:
    passed = [f"{resource} {share:.0%}" for resource, share in sorted(view.marks.items())]
    return [Text(f"used of the pool: {', '.join(passed)}", "yellow")] if passed else []


def totals(view: View) -> str:
    """The state on one line."""
    jobs = view.jobs
    failed = sum(n for status, n in jobs.items() if status not in (*UNFINISHED, GOOD))
    counts = [f"{jobs.get(status, 0)} {status}" for status in (*UNFINISHED, GOOD)]
    of = "" if view.seconds is None else f" of {clock(view.seconds)}"
    parts = [
        f"{view.problem} {view.state}",
        f"{clock(view.ran)}{of}",
        f"${view.dollars:,.2f}",
        count(view.submissions, "submission"),
        f"jobs: {', '.join(counts)}, {failed} failed",
    ]
    if view.reviews:
        shown = ", ".join(f"{n} {verdict}" for verdict, n in sorted(view.reviews.items()))
        parts.append(f"reviews: {shown}")
    if view.flags:
        parts.append(count(view.flags, "flag"))
    return clean(" · ".join(parts), LINE)


def event_line(event: Mapping[str, Any]) -> str:
    """An event on one line, harmless in a terminal."""
    when = time.strftime("%H:%M:%S", time.localtime(event["time"]))
    body = {name: value for name, value in event["payload"].items() if name != "researcher"}
    return clean(f"{when} {event['by'] or 'host'} {event['kind']} {canonical(body)}", LINE)
