"""A second opinion on the interval of PGR, by resampling; the published one is `pgr_estimate`'s."""

from __future__ import annotations

import numpy as np

from aar_lab.errors import BadInput
from aar_lab.metrics.gap import pgr_estimate
from aar_lab.metrics.outcomes import Outcomes
from aar_lab.rng import stream
from aar_lab.types import FloatArray, Interval

LEVELS = (0.025, 0.975)


def bootstrap_interval(outcomes: Outcomes, draws: int = 2000, seed: int = 0) -> Interval:
    """95 % percentile interval of PGR over resampled seeds × resampled problems (Owen 2007).

    The seeds of each role are drawn with replacement, those of weak and transfer together where
    they are paired, and the problems for all roles at once. It checks the delta interval without
    its algebra. With few seeds it is too short by about √((S−1)/S) and for lack of Student's t;
    the noise of one seed on one problem it counts three times. A draw without a gap is ±∞.

    Args:
        draws: resamples, at least 100.
        seed: names the stream of random numbers.

    Raises:
        BadInput: fewer than 100 draws.
        UndefinedPGR: as in `pgr_estimate`.
    """
    if draws < 100:
        raise BadInput(f"{draws} draws", "too few for an interval", "Use at least 100, or 2000.")
    pgr_estimate(outcomes)
    rng = stream(seed, "bootstrap")
    sizes = np.bincount(outcomes.clusters)
    problems = _counts(rng, sizes.size, draws)
    weak_seeds = _counts(rng, outcomes.weak.shape[0], draws)
    transfer_seeds = (
        weak_seeds if outcomes.paired else _counts(rng, outcomes.transfer.shape[0], draws)
    )
    ceiling_seeds = _counts(rng, outcomes.ceiling.shape[0], draws)

    def accuracy(rows: FloatArray, seeds: FloatArray) -> FloatArray:
        sums = np.stack([np.bincount(outcomes.clusters, weights=row) for row in rows])
        right = np.einsum("bs,bs->b", seeds, problems @ sums.T)
        return np.asarray(right / rows.shape[0] / (problems @ sizes))

    weak = accuracy(outcomes.weak, weak_seeds)
    top = accuracy(outcomes.transfer, transfer_seeds) - weak
    gap = accuracy(outcomes.ceiling, ceiling_seeds) - weak
    ratios = np.where(gap > 0, top / np.where(gap > 0, gap, 1), np.copysign(np.inf, top))
    low, high = np.quantile(ratios, LEVELS, method="inverted_cdf")
    return Interval(float(low), float(high))


def _counts(rng: np.random.Generator, size: int, draws: int) -> FloatArray:
    """How often each of `size` units is drawn, shape (draws, size)."""
    return rng.multinomial(size, np.full(size, 1 / size), draws).astype(np.float64)
