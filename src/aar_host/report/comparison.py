"""Methods side by side: tables for the terminal and a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from aar_host.report.results import as_interval
from aar_host.report.text import NONE, number, sides
from aar_lab.errors import BadInput

SIGNIFICANT = 0.05
FIGURES = (".png", ".svg", ".pdf")


def baselines_table(found: Mapping[str, Any]) -> Table:
    """The document of `aar baselines --json` as a table, best PGR first."""
    table = Table(title=_title(found), box=SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("acc.", "PGR", "matched\nceiling", "gain over\nnaive", "p,\nHolm"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in _ranked(found["methods"]):
        if row["error"] is not None:
            table.add_row(row["method"], f"failed: {row['error']['code']}", *[NONE] * 4)
            continue
        matched = row["pgr_matched"]
        table.add_row(
            row["method"],
            number(row["accuracy"]["mean"], 3),
            _estimate(row["pgr"]),
            NONE if matched is None else _estimate(matched),
            NONE if row["gain"] is None else _estimate(row["gain"]),
            _p_value(row["p_holm"]),
        )
    table.caption = (
        f"weak {_accuracy(found['weak'])}, ceiling {_accuracy(found['ceiling'])}; "
        f"{found['seeds']} weak seeds, {found['n_items']:,} items of {found['n_problems']} "
        "problems; 95 % intervals over seeds and items."
    )
    if found["best_of_methods"] is not None:
        table.caption += (
            f" If no method were better than naive, the best would seem so by "
            f"{number(found['best_of_methods'])}."
        )
    return table


def _title(found: Mapping[str, Any]) -> str:
    return f"{found['problem']} {found['version']}, student {found['student']}"


def _ranked(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: -row["pgr"]["mean"] if row["error"] is None else 9e9)


def _accuracy(reference: Mapping[str, Any]) -> str:
    return f"{number(reference['mean'], 3)} ± {number(reference['se'], 3)}"


def _two_lines(reference: Mapping[str, Any]) -> str:
    return _accuracy(reference).replace(" ±", "\n±")


def _estimate(estimate: Mapping[str, Any]) -> str:
    """In two lines, so that a table fits 80 columns."""
    return f"{number(estimate['mean'])}\n{sides(as_interval(estimate['interval']))}"


def _p_value(p: float | None) -> str:
    if p is None:
        return NONE
    return ("<.001" if p < 0.001 else number(p, 3)) + ("*" if p < SIGNIFICANT else "")


def transfer_table(method: str, found: Mapping[str, Any]) -> Table:
    """The document of `aar transfer --json` as a table: at home, and away."""
    table = Table(title=f"{method}: does it transfer?", box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.add_column("", overflow="fold", min_width=9)
    for name in ("weak", "ceiling", "naive PGR", "PGR", "gain", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for place in ("home", "away"):
        here = found[place]
        rows = {row["method"]: row for row in here["methods"]}
        row, naive = rows[method], rows["naive"]
        references = [_two_lines(here[name]) for name in ("weak", "ceiling")]
        if row["error"] is not None:
            table.add_row(_title(here), *references, f"failed: {row['error']['code']}")
            continue
        gain = row["gain"]
        table.add_row(
            _title(here),
            *references,
            _estimate(naive["pgr"]),
            _estimate(row["pgr"]),
            NONE if gain is None else _estimate(gain),
            _p_value(row["p"]),
        )
    return table


def check_figure(path: Path) -> None:
    """`BadInput` unless a figure can be written there; asked before hours of work, not after."""
    if path.suffix not in FIGURES:
        raise BadInput(path.name, "no kind of figure", f"End it with {', '.join(FIGURES)}.")
    if not path.absolute().parent.is_dir():
        raise BadInput(path, "there is no such folder", "Make it first.")


def baselines_figure(found: Mapping[str, Any], path: Path) -> None:
    """Draw PGR with its interval, one line a method."""
    rows = [row for row in reversed(_ranked(found["methods"])) if row["error"] is None]
    figure = Figure(figsize=(7.0, 1.2 + 0.28 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for height, row in enumerate(rows):
        for key, marker, shift in (("pgr", "o", 0.0), ("pgr_matched", "D", -0.25)):
            if row[key] is None:
                continue
            interval = as_interval(row[key]["interval"])
            filled = "C0" if key == "pgr" else "white"
            axes.plot([interval.low, interval.high], [height + shift] * 2, color="C0", lw=1)
            axes.plot(row[key]["mean"], height + shift, marker, color="C0", mfc=filled, ms=5)
    axes.set_yticks(range(len(rows)), [row["method"] for row in rows])
    for level in (0, 1):
        axes.axvline(level, color="0.6", lw=0.8)
    axes.set_xlabel("PGR (◇ against the matched ceiling), 95 % interval")
    axes.set_title(_title(found), fontsize=10)
    figure.savefig(path)
