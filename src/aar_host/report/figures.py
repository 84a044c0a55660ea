"""The figures of the page, as inline SVG: equal input and equal library give equal bytes.

A colour in a figure is the name of a role; the page's style sheet says what it looks like on light,
on dark and on paper. Text stays text, so that it can be selected and read aloud.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aar_host.report.results import HistoryRow, PublicScore, Results, SealedScore
from aar_host.report.summary import by_sealed, frontier
from aar_host.report.text import clean, measured

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ROLES = ("ink", "muted", "grid", "accent", "paper")
SERIES = 9
MARKERS = "os^DvP<X>"
LOWEST, HIGHEST = -1.0, 1.6
NEAR = 0.06
LABEL = 46
WIDTH = 9.2

# Colours that nobody would choose: each stands for a role until the style sheet decides.
_STANDS_FOR = {f"#0102{i:02x}": f"var(--{role})" for i, role in enumerate(ROLES)}
_STANDS_FOR |= {f"#0103{i:02x}": f"var(--series-{i})" for i in range(SERIES)}
INK, MUTED, GRID, ACCENT, PAPER = list(_STANDS_FOR)[: len(ROLES)]

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
}


def series_of(results: Results) -> dict[str, int]:
    """The series, in 0…SERIES−1, of each researcher, in the order in which they are listed."""
    names = [row.name for row in results.researchers] + [row.researcher for row in results.history]
    return {name: i % SERIES for i, name in enumerate(dict.fromkeys(names))}


def progress(results: Results) -> str:
    """Public PGR of every submission over minutes, with the best so far; empty if none scored."""
    if not any(row.pgr is not None for row in results.history):
        return ""
    with rc_context(SETTINGS | {"svg.hashsalt": "progress"}):
        figure = Figure(figsize=(WIDTH, 4.0))
        axes = figure.add_axes((0.06, 0.12, 0.875, 0.86))
        _levels(axes, results)
        _frontier(axes, results)
        for name, series in series_of(results).items():
            _submissions(axes, [row for row in results.history if row.researcher == name], series)
        axes.set_xlim(0, max(results.seconds, *(row.seconds for row in results.history)) / 60)
        axes.set_ylim(*limits(row.pgr for row in results.history))
        axes.set_xlabel("minutes since the start")
        axes.set_ylabel("public PGR")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        return inline(figure, "Public PGR of every submission over time")


def _levels(axes: Axes, results: Results) -> None:
    naive = results.anchors.naive
    _level(axes, 0.0, "weak")
    _level(axes, 1.0, "ceiling")
    if naive is not None and naive.pgr is not None:
        height = clipped(naive.pgr)
        fixed = min((0.0, 1.0), key=lambda level: abs(height - level))
        away = height - fixed
        _level(axes, height, "naive", math.copysign(8, away) if abs(away) < NEAR else 0)


def _level(axes: Axes, height: float, name: str, nudge: float = 0) -> None:
    axes.axhline(clipped(height), color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.annotate(
        name,
        (1, clipped(height)),
        xycoords=("axes fraction", "data"),
        xytext=(4, nudge),
        textcoords="offset points",
        va="center",
    )


def _frontier(axes: Axes, results: Results) -> None:
    rises = frontier(results.history)
    times = [seconds / 60 for seconds, _ in rises] + [results.seconds / 60]
    heights = [clipped(pgr) for _, pgr in rises] + [clipped(rises[-1][1])]
    axes.step(times, heights, where="post", color=INK, linewidth=1.3, zorder=2)


def _submissions(axes: Axes, rows: Iterable[HistoryRow], series: int) -> None:
    scored = [(row.seconds / 60, row.pgr) for row in rows if row.pgr is not None]
    axes.plot(
        [minute for minute, _ in scored],
        [clipped(pgr) for _, pgr in scored],
        linestyle="none",
        marker=MARKERS[series],
        markersize=5,
        color=f"#0103{series:02x}",
        markeredgecolor=PAPER,
        markeredgewidth=0.5,
        zorder=3,
        clip_on=False,
    )


def forest(results: Results) -> str:
    """Sealed PGR with interval of every finalist and baseline; empty if none was opened."""
    rows: list[tuple[str, SealedScore, PublicScore | None]] = [
        (_label(one.researcher, one.title), one.sealed, one.public)
        for one in by_sealed(results)
        if one.sealed is not None
    ]
    rows += [(one.method, one.sealed, None) for one in results.baselines if one.sealed is not None]
    if not rows:
        return ""
    with rc_context(SETTINGS | {"svg.hashsalt": "forest"}):
        height = 0.65 + 0.29 * len(rows)
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0.36, 0.47 / height, 0.47, 1 - 0.52 / height))
        for position, (_, sealed, public) in enumerate(rows):
            _whisker(axes, -position, sealed, public)
        axes.set_xlim(*_forest_limits([sealed for _, sealed, _ in rows]))
        axes.set_ylim(-len(rows) + 0.4, 0.6)
        axes.set_yticks([-i for i in range(len(rows))], [clean(name, LABEL) for name, _, _ in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("sealed PGR, 95 % interval")
        for level in (0.0, 1.0):
            axes.axvline(level, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        return inline(figure, "Sealed PGR of finalists and baselines with 95 % intervals")


def _label(researcher: str, title: str) -> str:
    return f"{clean(researcher, 16)} · {clean(title)}"


def _whisker(axes: Axes, height: float, sealed: SealedScore, public: PublicScore | None) -> None:
    color = MUTED if public is None else ACCENT
    left, right = clipped(sealed.interval.low), clipped(sealed.interval.high)
    axes.plot([left, right], [height, height], color=color, linewidth=1.6, zorder=2)
    axes.plot([clipped(sealed.pgr)], [height], "o", color=color, markersize=5.5, zorder=3)
    if public is not None and public.pgr is not None:
        axes.plot(
            [clipped(public.pgr)],
            [height],
            "o",
            markerfacecolor=PAPER,
            markeredgecolor=MUTED,
            markersize=4.5,
            zorder=2.5,
        )
    axes.annotate(
        measured(sealed.pgr, sealed.interval),
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
    )


def clipped(value: float) -> float:
    """The value where it is drawn: far ones at the edge."""
    return min(max(value, LOWEST), HIGHEST)


def limits(values: Iterable[float | None]) -> tuple[float, float]:
    """The ends of an axis of PGR that shows 0, 1 and all values that are known."""
    known = [clipped(value) for value in values if value is not None and not math.isnan(value)]
    return min([-0.05, *known]) - 0.05, max([1.05, *known]) + 0.05


def _forest_limits(scores: Iterable[SealedScore]) -> tuple[float, float]:
    ends = [side for one in scores for side in (one.interval.low, one.pgr, one.interval.high)]
    return limits(ends)


def inline(figure: Figure, description: str) -> str:
    """The figure as an SVG element for a page: no date, no identifiers but those referred to."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    # A page is no XML: its parser knows the prefix "xlink", not the name space behind it.
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(buffer.getvalue())
    for child in list(root):
        if child.tag == f"{{{SVG}}}metadata":
            root.remove(child)
    for element in root.iter(f"{{{SVG}}}g"):
        element.attrib.pop("id", None)
    for name in ("width", "height"):
        root.attrib.pop(name)
    root.attrib |= {"role": "img", "aria-label": description}
    return _in_roles(ElementTree.tostring(root, encoding="unicode"), _STANDS_FOR)


def _in_roles(svg: str, roles: Mapping[str, str]) -> str:
    for color, role in roles.items():
        svg = svg.replace(color, role)
    return svg
