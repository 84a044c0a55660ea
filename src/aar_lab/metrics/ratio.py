"""Interval of a ratio of two contrasts of mean accuracies, over seeds and clustered items.

PGR and a difference of two PGRs are both top / bottom with bottom = ceiling − weak, so one function
makes both intervals. Seeds and items are crossed: their variances add up, less the noise of one
seed on one item, which both contain (Cameron, Gelbach and Miller 2011). Each part has its
own degrees of freedom, combined after Satterthwaite (1946). Where the denominator is known too
roughly for the delta method, the interval is Fieller's (1954).
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
# With fewer seeds the noise is known too roughly to be taken out: the interval would be too short.
SEEDS_TO_SEPARATE = 5


@dataclass(frozen=True)
class Spread:
    """How top and bottom vary together: 2 × 2 covariances of the pair (top, bottom).

    Args:
        seeds: shape (blocks, 2, 2), of the means of each independent set of seeds.
        noise: shape (blocks, 2, 2), the share of `seeds` that `items` contains as well.
        items: shape (2, 2), over problems.
        freedom: shape (blocks + 1,), degrees of freedom of each of `seeds`, then of `items`.
    """

    seeds: FloatArray
    noise: FloatArray
    items: FloatArray
    freedom: FloatArray

    def error(self, contrast: FloatArray) -> float:
        """Standard error of contrast · (top, bottom)."""
        return math.sqrt(float(self._variances(contrast).sum()))

    def quantile(self, contrast: FloatArray) -> float:
        """Two-sided 95 % Student quantile of a contrast."""
        return float(stdtrit(self.degrees(contrast), (1 + CONFIDENCE) / 2))

    def degrees(self, contrast: FloatArray) -> float:
        """Satterthwaite degrees of freedom of a contrast.

        The estimate V − noise of seeds varies as V does, hence V² weighs them; but where it is
        taken as 0, items alone are left. Between V = 2 noise and V = noise the weight falls to 0.
        With V² throughout, intervals cover 99 % where noise is all there is; with (V − noise)²,
        92 % where there is little of it (by simulation).
        """
        parts = self._variances(contrast)
        crude = np.einsum("i,mij,j->m", contrast, [*self.seeds, self.items], contrast)
        spread = float((crude * np.minimum(crude, 2 * parts) / self.freedom).sum())
        least = float(self.freedom.min())
        return max(least, float(parts.sum()) ** 2 / spread) if spread > 0 else least

    def covariance(self) -> FloatArray:
        """Shape (2, 2), never negative: at least `error` squared for every contrast."""
        values, axes = np.linalg.eigh(self.seeds - self.noise)
        seeds = np.einsum("bik,bk,bjk->ij", axes, np.maximum(values, 0), axes)
        return np.asarray(seeds + self.items)

    def _variances(self, contrast: FloatArray) -> FloatArray:
        """Shape (blocks + 1,): of seeds without noise, and of items."""
        matrices = [*(self.seeds - self.noise), self.items]
        return np.asarray(np.maximum(np.einsum("i,mij,j->m", contrast, matrices, contrast), 0))


def measure(
    rows: Sequence[FloatArray],
    blocks: Sequence[Sequence[int]],
    clusters: npt.NDArray[np.intp],
    contrasts: FloatArray,
) -> Spread:
    """How two contrasts of mean accuracies vary.

    With x_sg the contrast of seed s on problem g in deviations from the seed's mean, S seeds and G
    problems, the noise of a block is G/(G−1) Σ_s Σ_g (x_sg − mean_s x_sg)² / (S (S−1)).

    Args:
        rows: k correctness matrices of shape (seeds of that row, n).
        blocks: a partition of 0…k−1; rows of one block share their seeds, one by one.
        clusters: shape (n,), the problem of each item as a number in 0…problems−1.
        contrasts: shape (2, k), the coefficients of top and bottom.
    """
    groups = int(clusters.max()) + 1
    seeds, noise, deviations, freedom = [], [], [], []
    for block in blocks:
        stacked = np.stack([rows[place] for place in block])
        both = np.einsum("ck,ksn->csn", contrasts[:, list(block)], stacked)
        count = both.shape[1]
        means = both.mean(axis=2)
        seeds.append(np.cov(means) / count)
        cells = _sums(both - means[:, :, None], clusters, groups) / clusters.size
        deviations.append(cells.mean(axis=1))
        rest = cells - cells.mean(axis=1, keepdims=True)
        share = groups / (groups - 1) / (count * (count - 1)) if count >= SEEDS_TO_SEPARATE else 0
        noise.append(share * np.einsum("asg,bsg->ab", rest, rest))
        freedom.append(count - 1.0)
    total = np.sum(deviations, axis=0)
    items = total @ total.T * groups / (groups - 1)
    return Spread(np.stack(seeds), np.stack(noise), items, np.array([*freedom, groups - 1.0]))


def _sums(values: FloatArray, clusters: npt.NDArray[np.intp], groups: int) -> FloatArray:
    """Sum of the last axis over each problem."""
    flat = values.reshape(-1, values.shape[-1])
    sums = [np.bincount(clusters, weights=row, minlength=groups) for row in flat]
    return np.asarray(sums, dtype=np.float64).reshape(*values.shape[:-1], groups)


def ratio_estimate(top: float, weak: float, ceiling: float, spread: Spread) -> Estimate:
    """top / (ceiling − weak) with its interval.

    Args:
        top: the numerator, a contrast of accuracies.
        weak, ceiling: mean accuracies.
        spread: of top and ceiling − weak.

    Raises:
        UndefinedPGR: the denominator is not above zero at the 95 % level.
    """
    bottom = np.array([0.0, 1.0])
    gap, error = ceiling - weak, spread.error(bottom)
    if gap <= spread.quantile(bottom) * error:
        raise UndefinedPGR(
            f"ceiling {ceiling:.4f}, weak {weak:.4f}",
            f"PGR is undefined: their gap {gap:.4f} ± {error:.4f} is not measurably above zero",
            "Use more test problems or seeds, or a stronger ceiling.",
        )
    ratio = top / gap
    contrast = np.array([1.0, -ratio])
    quantile = spread.quantile(contrast)
    if gap < FIELLER_BELOW * error:
        return Estimate(ratio, _fieller(ratio, gap, spread, quantile), "fieller")
    margin = quantile * spread.error(contrast) / gap
    return Estimate(ratio, Interval(ratio - margin, ratio + margin), "delta")


def _fieller(ratio: float, gap: float, spread: Spread, t: float) -> Interval:
    """All r with (top − r bottom)² ≤ t² var(top − r bottom), on the estimate's side of gap = 0.

    That is a r² − 2 b r + c ≤ 0. With a ≤ 0 the set has two rays, and the one without the
    estimate belongs to a negative gap, which has been ruled out before.
    """
    total = spread.covariance()
    a = float(gap**2 - t**2 * total[1, 1])
    b = float(ratio * gap**2 - t**2 * total[0, 1])
    c = float((ratio * gap) ** 2 - t**2 * total[0, 0])
    root = math.sqrt(max(0.0, b**2 - a * c))
    if a > 0:
        return Interval(min(ratio, (b - root) / a), max(ratio, (b + root) / a))
    if a == 0 or root == 0:
        return Interval(-math.inf, math.inf)
    left, right = (b + root) / a, (b - root) / a
    if ratio > (left + right) / 2:
        return Interval(min(ratio, right), math.inf)
    return Interval(-math.inf, max(ratio, left))
