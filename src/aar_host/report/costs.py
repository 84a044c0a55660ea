"""Tables of costs for the terminal: what was spent, and what is to be expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from aar_host.report.text import NONE, clean, duration, number

NAME = 24
WITHOUT = "no limit"


def costs_table(costs: Mapping[str, Any]) -> Table:
    """Costs as `aar costs --json` gives them, a line each and a sum."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("")
    heads = ("models\n$", "compute\n$", "tokens", "calls", "compute", "$ an\nhour")
    for name in (*heads, "$ a sub-\nmission", "$ a point\nof PGR"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in (*costs["researchers"], *costs["others"]):
        table.add_row(*_cells(row))
    table.add_section()
    table.add_row(*_cells(costs["total"]))
    return table


def _cells(row: Mapping[str, Any]) -> list[Text]:
    seconds = row["compute_seconds"] + row["sealed_seconds"]
    shares = ("dollars_per_hour", "dollars_per_submission", "dollars_per_point")
    return [
        Text(clean(row["name"], NAME)),
        Text(number(row["model_dollars"])),
        Text(number(row["compute_dollars"])),
        Text(f"{row['tokens']:,.0f}"),
        Text(outcomes(row["calls"])),
        Text(duration(seconds)),
        *(Text(number(row[name])) for name in shares),
    ]


def outcomes(calls: Mapping[str, int]) -> str:
    """Calls, with those that did not end well, as 7 (1 refused)."""
    bad = [f"{n} {clean(name, NAME)}" for name, n in sorted(calls.items()) if name != "ok"]
    total = str(sum(calls.values()))
    return f"{total} ({', '.join(bad)})" if bad else total


def models_table(models: Sequence[Mapping[str, Any]]) -> Table:
    """What each model cost."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for name, side in (("model", "left"), ("$", "right"), ("tokens", "right")):
        table.add_column(name, justify="right" if side == "right" else "left")
    for row in models:
        model = Text(clean(row["model"], 60))
        table.add_row(model, number(row["dollars"]), f"{row['tokens']:,.0f}")
    return table


def estimate_table(found: Mapping[str, Any]) -> Table:
    """An estimate as `aar estimate --json` gives it."""
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    table.add_column("")
    for name in ("expected", "at most"):
        table.add_column(name, justify="right", no_wrap=True)
    rows = (
        ("models, $", found["models"]["dollars"], money),
        ("compute, $", found["compute"]["dollars"], money),
        ("both, $", found["dollars"], money),
        ("submissions", found["submissions"], lambda value: f"{value:,.0f}"),
        ("compute", found["compute"]["seconds"], duration),
    )
    for name, span, show in rows:
        cells = (NONE if span["expected"] is None else show(span["expected"]),)
        table.add_row(name, *cells, WITHOUT if span["most"] is None else show(span["most"]))
    return table


def money(value: float) -> str:
    """Dollars, as 1,234.50."""
    return f"{value:,.2f}"
