"""The figure of how diverse the methods of a campaign were, for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aar_host.report.figures import ACCENT, INK, MUTED, SETTINGS, WIDTH, inline


def diversity(found: Mapping[str, Any]) -> str:
    """Families by how often they were tried, and their entropy over time, as inline SVG.

    Args:
        found: as of `studies.measuring.diversity_in`.

    Returns:
        SVG as of `figures`, or "" where no method was handed in.
    """
    if not found["methods"]:
        return ""
    with rc_context(SETTINGS | {"svg.hashsalt": "diversity"}):
        figure = Figure(figsize=(WIDTH, 2.6))
        _families(figure.add_axes((0.19, 0.19, 0.28, 0.78)), found["families"])
        axes = figure.add_axes((0.56, 0.19, 0.42, 0.78))
        _entropy(axes, [point for point in found["curve"] if point["entropy"] is not None])
        axes.set_ylabel(f"entropy, {found['unit']}")
        return inline(figure, "Families of the methods handed in, and their entropy over time")


def _families(axes: Axes, counts: Mapping[str, int]) -> None:
    names = list(counts)[::-1]
    axes.barh(names, [counts[name] for name in names], color=MUTED, height=0.6)
    axes.set_xlabel("methods")
    axes.tick_params(axis="y", length=0)


def _entropy(axes: Axes, points: Sequence[Mapping[str, Any]]) -> None:
    """Of all methods so far with its band, and dashed that of the last quarter of the time."""
    for name, color, dashes in (("entropy", INK, "solid"), ("windowed", ACCENT, "dashed")):
        known = [point for point in points if point[name] is not None]
        axes.plot(_minutes(known), [point[name] for point in known], color=color, ls=dashes, lw=1.2)
    known = [point for point in points if point["low"] is not None]
    low, high = ([point[side] for point in known] for side in ("low", "high"))
    axes.fill_between(_minutes(known), low, high, color=MUTED, alpha=0.25, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes since the start")


def _minutes(points: Sequence[Mapping[str, Any]]) -> list[float]:
    return [point["seconds"] / 60 for point in points]
