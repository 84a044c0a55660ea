"""Metrics: how often the intervals cover the truth, in a simulated world where it is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import pytest

from aar_lab.errors import UndefinedPGR
from aar_lab.metrics import Outcomes, paired_gain, pgr, pgr_estimate
from aar_lab.types import FloatArray, Interval

PROBLEMS, EACH = 150, 2
CLUSTERS = np.repeat(np.arange(PROBLEMS), EACH)
SEED_SD, PROBLEM_SD, ITEM_SD, NOISE_SD = 0.07, 0.5, 0.6, 0.4
TOTAL_SD = math.sqrt(SEED_SD**2 + PROBLEM_SD**2 + ITEM_SD**2 + NOISE_SD**2)


def worlds(runs: int, **accuracy: float) -> Iterator[dict[str, FloatArray]]:
    """Random-effects model: Gaussian seed, problem and item effects and noise above a threshold.

    The expected accuracy is exactly the one asked for. Problem and item effects of two models
    correlate by .7, seed effects of a student and its supervisor by .5.
    """
    rng = np.random.default_rng(20260401)

    def items() -> FloatArray:
        problem = np.repeat(rng.normal(size=PROBLEMS), EACH)
        return PROBLEM_SD * problem + ITEM_SD * rng.normal(size=CLUSTERS.size)

    for _ in range(runs):
        shared, supervisors, world = items(), rng.normal(size=(5, 1)), {}
        for name, share in accuracy.items():
            seed = rng.normal(size=(5, 1))
            if name != "ceiling":
                seed = math.sqrt(0.5) * (seed + supervisors)
            skill = NormalDist().inv_cdf(share) * TOTAL_SD + SEED_SD * seed
            noise = NOISE_SD * rng.normal(size=(5, CLUSTERS.size))
            effects = math.sqrt(0.7) * shared + math.sqrt(0.3) * items()
            world[name] = (skill + effects + noise > 0).astype(np.float64)
        yield world


def covers(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


@pytest.mark.parametrize("ceiling", [0.85, 0.95], ids=["mostly fieller", "mostly delta"])
def test_nominal_95_percent_covers_93_to_97_and_seeds_alone_do_not(ceiling: float) -> None:
    weak, transfer, rival = 0.62, 0.74, 0.66
    runs, hits, gains, seeds_alone = 2000, 0, 0, 0
    for world in worlds(runs, weak=weak, ceiling=ceiling, transfer=transfer, rival=rival):
        second = world.pop("rival")
        outcomes = Outcomes(**world, clusters=CLUSTERS)
        truth = pgr(transfer, weak, ceiling)
        hits += covers(pgr_estimate(outcomes).interval, truth)
        gains += covers(
            paired_gain(outcomes, second).interval, (transfer - rival) / (ceiling - weak)
        )
        gap = outcomes.ceiling.mean() - outcomes.weak.mean()
        per_seed = (outcomes.transfer.mean(axis=1) - outcomes.weak.mean()) / gap
        error = per_seed.std(ddof=1) / math.sqrt(5)
        seeds_alone += abs(per_seed.mean() - truth) <= 1.96 * error
    assert 0.93 <= hits / runs <= 0.97
    assert 0.93 <= gains / runs <= 0.97
    assert seeds_alone / runs <= 0.8


def test_a_narrow_gap_is_covered_too_where_it_is_not_refused() -> None:
    hits, given_out, open_ended, refused = 0, 0, 0, 0
    for world in worlds(1000, weak=0.62, ceiling=0.70, transfer=0.66):
        try:
            estimate = pgr_estimate(Outcomes(**world, clusters=CLUSTERS))
        except UndefinedPGR:
            refused += 1
            continue
        given_out += 1
        assert covers(estimate.interval, estimate.mean)
        hits += covers(estimate.interval, 0.5)
        open_ended += math.isinf(estimate.interval.high - estimate.interval.low)
    assert hits / given_out >= 0.93
    assert refused > 0
    assert open_ended > 0
