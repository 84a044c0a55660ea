"""The figure of a study: progress, sealed PGR by pairs, diversity and complexity by condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aar_host.studies.diversity import POINTS
from aar_lab.types import FloatArray

COLORS = ("C0", "C1")
KINDS = ("png", "svg")
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "study",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw_study(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw a study with at least one pair, as folder/study.png and .svg; returns their paths."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(9.2, 6.4), layout="constrained", dpi=150)
        axes = figure.subplots(2, 2)
        _over_time(axes[0, 0], document, "frontier", "best public PGR so far")
        _pairs(axes[0, 1], document, "pgr", "sealed PGR")
        _over_time(axes[1, 0], document, "entropy", "family entropy so far, nats")
        axes[1, 0].set_ylim(bottom=0)
        _pairs(axes[1, 1], document, "description", "idea complexity, bytes")
        axes[0, 0].legend(frameon=False, loc="lower right")
        for one in axes[:, 0]:
            one.set_xlim(0, document["minutes"])
        figure.suptitle(_title(document), fontsize=10)
        paths = [folder / f"study.{kind}" for kind in KINDS]
        for path in paths:
            metadata = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, metadata=metadata)
    return paths


def _title(document: Mapping[str, Any]) -> str:
    pairs = len(document["pairs"])
    return (
        f"{document['study']}: {document['problem']}, {document['researchers']} researchers, "
        f"{document['minutes']:g} min, {pairs} pair{'' if pairs == 1 else 's'}"
    )


def _runs(document: Mapping[str, Any], condition: str) -> list[Mapping[str, Any]]:
    return [pair["conditions"][condition] for pair in document["pairs"]]


def _over_time(axes: Axes, document: Mapping[str, Any], name: str, label: str) -> None:
    """Each campaign as a thin line, the mean over campaigns as a thick one, its error as a band."""
    minutes = document["minutes"] * np.arange(1, POINTS + 1) / POINTS
    for condition, color in zip((document["first"], document["second"]), COLORS, strict=True):
        rows = np.array([_series(run, name) for run in _runs(document, condition)])
        axes.plot(minutes, rows.T, color=color, linewidth=0.5, alpha=0.5)
        mean, error = _summary(rows)
        axes.plot(minutes, mean, color=color, linewidth=1.8, label=condition)
        axes.fill_between(minutes, mean - error, mean + error, color=color, alpha=0.15, linewidth=0)
    axes.set_xlabel("minutes of search")
    axes.set_ylabel(label)


def _series(run: Mapping[str, Any], name: str) -> list[float]:
    """POINTS numbers over the time that a campaign was served; NaN where there is none yet."""
    values: Sequence[float | None] = (
        run["frontier"] if name == "frontier" else [point[name] for point in run["curve"]]
    )
    return [float("nan") if value is None else value for value in values]


def _summary(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard error over the campaigns that have a value, each of shape (POINTS,)."""
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    filled = np.where(known, rows, 0.0)
    mean = np.where(count > 0, filled.sum(axis=0) / np.maximum(count, 1), np.nan)
    squares = np.where(known, (rows - mean) ** 2, 0.0).sum(axis=0)
    spread = np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1))
    return mean, np.where(count > 1, spread, 0.0)


def _pairs(axes: Axes, document: Mapping[str, Any], name: str, label: str) -> None:
    """A line for each pair from one condition to the other, and the means."""
    names = (document["first"], document["second"])
    values = [[run[name] for run in _runs(document, condition)] for condition in names]
    for one, other in zip(*values, strict=True):
        if one is not None and other is not None:
            axes.plot([0, 1], [one, other], color="0.7", linewidth=0.8, zorder=1)
    for place, (column, color) in enumerate(zip(values, COLORS, strict=True)):
        known = [value for value in column if value is not None]
        axes.plot([place] * len(known), known, "o", color=color, markersize=4, zorder=2)
        if known:
            mean = float(np.mean(known))
            axes.plot([place - 0.12, place + 0.12], [mean] * 2, color=color, linewidth=2.2)
    row = next(row for row in document["comparisons"] if row["measure"] == name)
    if row["p"] is not None:
        words = f"{row['difference']:+.2f}, p = {row['p']:.2f}".replace("-", "−")
        axes.set_title(words, fontsize=9)
    axes.set_xlim(-0.5, 1.5)
    axes.set_xticks([0, 1], names)
    axes.set_ylabel(label)
