"""Interval of a ratio of two contrasts of mean accuracies, over seeds and clustered items.

PGR and a difference of two PGRs are both (top · means) / (bottom · means), so one function makes
both intervals. The variance of a contrast is the sum of what the seeds and what the items
contribute; each contribution has its own degrees of freedom, combined after Satterthwaite (1946).
Where the denominator is known too roughly for the delta method, the interval is Fieller's (1954).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from aar_lab.errors import UndefinedPGR
from aar_lab.types import Estimate, FloatArray, Interval

CONFIDENCE = 0.95
# Below this ratio of gap to standard error the delta interval is too short.
FIELLER_BELOW = 10.0


@dataclass(frozen=True)
class Spread:
    """How k mean accuracies vary together.

    Args:
        covariances: shape (sources, k, k).
        freedom: shape (sources,), degrees of freedom of each, positive.
    """

    covariances: FloatArray
    freedom: FloatArray

    def covariance(self, first: FloatArray, second: FloatArray) -> float:
        """Covariance of two contrasts of shape (k,), over all sources."""
        return float(first @ self.covariances.sum(axis=0) @ second)

    def error(self, contrast: FloatArray) -> float:
        """Standard error of a contrast of shape (k,)."""
        return math.sqrt(max(0.0, self.covariance(contrast, contrast)))

    def quantile(self, contrast: FloatArray) -> float:
        """Two-sided Student quantile at the Satterthwaite degrees of freedom of the contrast."""
        parts = np.einsum("i,mij,j->m", contrast, self.covariances, contrast)
        spread = float((parts**2 / self.freedom).sum())
        freedom = float(parts.sum()) ** 2 / spread if spread > 0 else self.freedom.min()
        return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def measure(
    rows: Sequence[FloatArray], blocks: Sequence[Sequence[int]], clusters: npt.NDArray[np.intp]
) -> Spread:
    """Variance of the mean of each of k rows, by source.

    Args:
        rows: k correctness matrices of shape (seeds of that row, n).
        blocks: a partition of 0…k−1; rows of one block share their seeds, one by one.
        clusters: shape (n,), the problem of each item as a number in 0…problems−1.

    Returns:
        One source for each block, and as the last one the items, clustered by problem.
    """
    size = len(rows)
    covariances, freedom = [], []
    for block in blocks:
        means = np.stack([rows[place].mean(axis=1) for place in block])
        covariance = np.zeros((size, size))
        covariance[np.ix_(block, block)] = np.cov(means) / means.shape[1]
        covariances.append(covariance)
        freedom.append(means.shape[1] - 1.0)
    items = np.stack([row.mean(axis=0) for row in rows])
    items -= items.mean(axis=1, keepdims=True)
    sums = np.stack([np.bincount(clusters, weights=item) for item in items])
    groups = sums.shape[1]
    covariances.append(sums @ sums.T / clusters.size**2 * groups / (groups - 1))
    freedom.append(groups - 1.0)
    return Spread(np.stack(covariances), np.array(freedom))


def ratio_estimate(rows: Sequence[FloatArray], top: Sequence[int], spread: Spread) -> Estimate:
    """(top · means) / (ceiling − weak) with its interval.

    Args:
        rows: k correctness matrices on the same items; the last two are weak and ceiling.
        top: k coefficients of the numerator.
        spread: of the same rows, from `measure`.

    Raises:
        UndefinedPGR: the denominator is not above zero at the 95 % level.
    """
    over, under = np.array(top, dtype=np.float64), np.zeros(len(rows))
    under[-2:] = -1, 1
    means = np.array([row.mean() for row in rows])
    gap, error = float(under @ means), spread.error(under)
    if gap <= spread.quantile(under) * error:
        raise UndefinedPGR(
            f"ceiling {means[-1]:.4f}, weak {means[-2]:.4f}",
            f"PGR is undefined: their gap {gap:.4f} ± {error:.4f} is not measurably above zero",
            "Use more test problems or seeds, or a stronger ceiling.",
        )
    ratio = float(over @ means) / gap
    contrast = over - ratio * under
    quantile = spread.quantile(contrast)
    if gap < FIELLER_BELOW * error:
        interval = _fieller(ratio, gap, spread, (over, under), quantile)
        return Estimate(ratio, interval, "fieller")
    margin = quantile * spread.error(contrast) / gap
    return Estimate(ratio, Interval(ratio - margin, ratio + margin), "delta")


def _fieller(
    ratio: float, gap: float, spread: Spread, contrasts: tuple[FloatArray, FloatArray], t: float
) -> Interval:
    """All r with (top − r bottom)² ≤ t² var(top − r bottom), on the estimate's side of gap = 0.

    That is a r² − 2 b r + c ≤ 0. With a ≤ 0 the set has two rays, and the one without the
    estimate belongs to a negative gap, which has been ruled out before.
    """
    over, under = contrasts
    a = gap**2 - t**2 * spread.covariance(under, under)
    b = ratio * gap**2 - t**2 * spread.covariance(over, under)
    c = (ratio * gap) ** 2 - t**2 * spread.covariance(over, over)
    root = math.sqrt(max(0.0, b**2 - a * c))
    if a > 0:
        return Interval(min(ratio, (b - root) / a), max(ratio, (b + root) / a))
    if a == 0 or root == 0:
        return Interval(-math.inf, math.inf)
    left, right = (b + root) / a, (b - root) / a
    if ratio > (left + right) / 2:
        return Interval(min(ratio, right), math.inf)
    return Interval(-math.inf, max(ratio, left))
