"""Small random outcomes, and how estimates of them are compared."""

from __future__ import annotations

import math

import numpy as np

from aar_lab.metrics import Outcomes, paired_gain, pgr_estimate
from aar_lab.types import Estimate, FloatArray


def draw(seed: int, seeds: int = 6, **accuracy: float) -> tuple[Outcomes, FloatArray]:
    """Outcomes with a wide gap on 60 items of 20 problems, and the rows of a rival."""
    rng = np.random.default_rng(seed)
    accuracy = {"weak": 0.3, "ceiling": 0.9, "transfer": 0.6, "rival": 0.5} | accuracy
    rows = {
        name: (rng.random((seeds, 60)) < share).astype(np.float64)
        for name, share in accuracy.items()
    }
    rival = rows.pop("rival")
    return Outcomes(**rows, clusters=rng.permutation(np.repeat(np.arange(20), 3))), rival


def with_transfer(outcomes: Outcomes, transfer: FloatArray, paired: bool = True) -> Outcomes:
    return Outcomes(outcomes.weak, outcomes.ceiling, transfer, outcomes.clusters, paired)


def estimates(outcomes: Outcomes, rival: FloatArray) -> tuple[Estimate, Estimate]:
    return pgr_estimate(outcomes), paired_gain(outcomes, rival)


def width(estimate: Estimate) -> float:
    return estimate.interval.high - estimate.interval.low


def same(first: Estimate, second: Estimate) -> bool:
    pairs = zip(
        (first.mean, *first.interval.as_list()),
        (second.mean, *second.interval.as_list()),
        strict=True,
    )
    return all(math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-9) for a, b in pairs)
