"""Tables for the terminal. What researchers wrote is plain text there, never markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from aar_host.report.results import Finalist, Gain, Results, SealedScore, as_interval, parse_anchors
from aar_host.report.summary import by_sealed
from aar_host.report.text import NONE, clean, measured, number, sides
from aar_lab.types import Interval

NAME, TITLE = 24, 60


def finalists_table(results: Results) -> Table:
    """Finalists, best sealed PGR first, beside the baselines; intervals are at the 95 % level."""
    table = Table(
        title=_title(f"Finalists on {clean(results.problem, NAME)}, opened once"),
        box=SIMPLE_HEAD,
        padding=0,
        show_edge=False,
    )
    table.add_column("", overflow="fold", min_width=10)
    for name in (
        "public\nPGR",
        "sealed\nPGR",
        "matched\nceiling",
        "gain over\nnaive",
        "over naive,\nboth orders",
    ):
        table.add_column(name, no_wrap=True)
    for finalist in by_sealed(results):
        public = _two_lines(finalist.public.pgr, finalist.public.interval)
        table.add_row(_finalist_words(finalist), public, *_sealed_cells(finalist.sealed))
    table.add_section()
    for baseline in results.baselines:
        table.add_row(Text(clean(baseline.method, NAME)), NONE, *_sealed_cells(baseline.sealed))
    if results.marks:
        table.caption = Text("\n".join(clean(mark) for mark in results.marks), style="bold red")
    return table


def _finalist_words(finalist: Finalist) -> Text:
    words = Text(clean(finalist.researcher, NAME), "bold")
    words.append(f"\n{clean(finalist.title, TITLE)}", "not bold")
    if finalist.error is not None:
        words.append(f"\n{clean(finalist.error.fault, TITLE)}", "not bold red")
    return words


def _sealed_cells(score: SealedScore | None) -> list[Text]:
    if score is None:
        return [Text(NONE)] * 4
    gains = (score.gain_over_naive, score.gain_over_naive_both_orders)
    matched = score.pgr_matched
    return [
        _two_lines(score.pgr, score.interval, "bold"),
        Text(NONE) if matched is None else _two_lines(matched.mean, matched.interval),
        *map(_gain, gains),
    ]


def _gain(gain: Gain | None) -> Text:
    if gain is None:
        return Text(NONE)
    return _two_lines(gain.mean, gain.interval, "green" if gain.interval.low > 0 else "")


def _title(words: str) -> Text:
    return Text(words, "table.title")


def _two_lines(value: float | None, interval: Interval | None, style: str = "") -> Text:
    """A value above its interval, so that the table fits 80 columns."""
    shown = Text(number(value), style)
    return shown if value is None else shown.append(f"\n{sides(interval)}", "not bold")


def anchors_table(anchors: Mapping[str, Any]) -> Table:
    """The references as `aar anchors --json` gives them; `Corrupt` if a field is missing."""
    known = parse_anchors(anchors)
    table = Table(title=_title(f"Anchors {clean(known.version, 16)}"), box=SIMPLE_HEAD)
    table.add_column("")
    for name in ("seeds", "accuracy", "s.e.", "PGR"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("weak", "naive", "confident", "zero_shot", "ceiling"):
        row = getattr(known, name)
        if row is not None:
            fixed = {"weak": "0 by definition", "ceiling": "1 by definition"}.get(name)
            table.add_row(
                name.replace("_", "-"),
                NONE if row.n is None else str(row.n),
                number(row.mean, 3),
                number(row.se, 3),
                fixed or measured(row.pgr, row.interval),
            )
    return table


def leaderboard_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The public leaderboard, in the order and shape of the server's answer.

    Args:
        rows: {"submission", "author", "title", "family", "score": {"pgr", "interval"}}.
    """
    table = Table(
        title="Leaderboard: public scores, used for selection, hence optimistic", box=SIMPLE_HEAD
    )
    table.add_column("", justify="right")
    for name in ("public PGR", "by", "submission"):
        table.add_column(name, no_wrap=True)
    table.add_column("method", overflow="fold")
    table.add_column("family")
    for place, row in enumerate(rows, start=1):
        score = row["score"]
        interval = score["interval"] and as_interval(score["interval"])
        table.add_row(
            str(place),
            Text(measured(score["pgr"], interval), "bold"),
            *(Text(clean(row[key], NAME)) for key in ("author", "submission")),
            Text(clean(row["title"], TITLE)),
            Text(clean(row["family"], NAME)),
        )
    return table
