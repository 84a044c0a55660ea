"""The figure of what builds on what, for the page and as a file of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aar_host.report.figures import (
    INK,
    MARKERS,
    MUTED,
    PAPER,
    SETTINGS,
    WIDTH,
    clipped,
    inline,
    limits,
)
from aar_host.report.results import HistoryRow
from aar_host.report.text import clean

NAME = 16


def lineage(history: Sequence[HistoryRow], series: Mapping[str, int]) -> str:
    """Every submission by order and public PGR, with lines to what it builds on, as inline SVG.

    Args:
        history: oldest first; an ancestor that is not in it is left out.
        series: researcher → its series, in 0…SERIES−1.

    Returns:
        SVG as of `figures`, or "" where nothing builds on anything.
    """
    known = {row.submission: row for row in history}
    if not any(parent in known for row in history for parent in row.builds_on):
        return ""
    with rc_context(SETTINGS | {"svg.hashsalt": "lineage"}):
        figure = Figure(figsize=(WIDTH, 4.2))
        axes = figure.add_axes((0.075, 0.12, 0.915, 0.8))
        low, high = limits(row.pgr for row in history)
        spots = _spots(history, low - 0.05)
        _lines(axes, spots, known)
        for name, number in series.items():
            _marks(axes, [row for row in history if row.researcher == name], spots, number)
        axes.set_xlim(0, len(history) + 1)
        axes.set_ylim(low - 0.1, high)
        axes.set_xlabel("submissions in the order of their arrival")
        axes.set_ylabel("public PGR")
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=len(series), frameon=False, fontsize=8
        )
        return inline(figure, "Which submission builds on which, by order and public PGR")


def standalone(svg: str) -> str:
    """The same as a file of its own, which brings the colours of the page along."""
    style = files("aar_host.report").joinpath("templates/style.css.jinja").read_text("utf-8")
    palette = style.partition("* {")[0]
    head, bracket, rest = svg.partition(">")
    return f"{head}{bracket}<style>{palette}svg {{ background: var(--paper); }}</style>{rest}\n"


def _spots(history: Sequence[HistoryRow], bottom: float) -> dict[str, tuple[float, float]]:
    return {
        row.submission: (place, bottom if row.pgr is None else clipped(row.pgr))
        for place, row in enumerate(history, 1)
    }


def _lines(
    axes: Axes, spots: Mapping[str, tuple[float, float]], known: Mapping[str, HistoryRow]
) -> None:
    best = max(known.values(), key=lambda row: float("-inf") if row.pgr is None else row.pgr)
    family = _ancestry(best, known)
    for row in known.values():
        for parent in row.builds_on:
            if parent in known:
                strong = row.submission in family
                (x, y), (to_x, to_y) = spots[row.submission], spots[parent]
                axes.plot(
                    [to_x, x],
                    [to_y, y],
                    color=INK if strong else MUTED,
                    linewidth=1.2 if strong else 0.4,
                    zorder=2 if strong else 1,
                )


def _ancestry(row: HistoryRow, known: Mapping[str, HistoryRow]) -> set[str]:
    """The submission and all that it rests on."""
    found, todo = set[str](), [row.submission]
    while todo:
        name = todo.pop()
        if name in known and name not in found:
            found.add(name)
            todo += known[name].builds_on
    return found


def _marks(
    axes: Axes,
    rows: Sequence[HistoryRow],
    spots: Mapping[str, tuple[float, float]],
    number: int,
) -> None:
    axes.plot(
        [spots[row.submission][0] for row in rows],
        [spots[row.submission][1] for row in rows],
        linestyle="none",
        marker=MARKERS[number],
        markersize=5,
        color=f"#0103{number:02x}",
        markeredgecolor=PAPER,
        markeredgewidth=0.5,
        zorder=3,
        clip_on=False,
        label=clean(rows[0].researcher, NAME) if rows else None,
    )
