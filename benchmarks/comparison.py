"""Runs of one way to fit against those of another, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Runs:
    """One entry a seed, two or more; both ways see the same seeds in the same order.

    Args:
        wall: seconds of a fit by the clock.
        cpu: seconds of a fit that the process computed; on one thread of an idle machine the same.
        accuracy: share of the test items answered right, in [0, 1].
    """

    wall: Sequence[float]
    cpu: Sequence[float]
    accuracy: Sequence[float]


def standard_error(values: Sequence[float]) -> float:
    """Of the mean."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def described(runs: Runs, floor_seconds: float) -> dict[str, Any]:
    """Medians and means; `floor_seconds` is the fit's arithmetic at the matrix-multiply rate."""
    median = float(np.median(runs.cpu))
    return {
        "wall_seconds": float(np.median(runs.wall)),
        "cpu_seconds": median,
        "cpu_seconds_range": [min(runs.cpu), max(runs.cpu)],
        "share_of_matmul_rate": floor_seconds / median,
        "accuracy": float(np.mean(runs.accuracy)),
        "accuracy_se": standard_error(runs.accuracy),
    }


def compared(ours: Runs, theirs: Runs) -> dict[str, Any]:
    """Their median time over ours with the range over seeds; our accuracy minus theirs.

    Times are of the process: what else the machine does slows both, but never alike.
    """
    ratios = np.divide(theirs.cpu, ours.cpu)
    difference = float(np.mean(ours.accuracy) - np.mean(theirs.accuracy))
    se = float(np.hypot(standard_error(ours.accuracy), standard_error(theirs.accuracy)))
    return {
        "times_ours": float(np.median(theirs.cpu) / np.median(ours.cpu)),
        "times_ours_by_wall": float(np.median(theirs.wall) / np.median(ours.wall)),
        "times_ours_range": [float(ratios.min()), float(ratios.max())],
        "accuracy_gain_of_ours": difference,
        "accuracy_gain_se": se,
        "agrees_within_one_se": bool(abs(difference) <= se),
    }
