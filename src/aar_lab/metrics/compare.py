"""Is one method better than another: gain, tests, power, and the price of choosing the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, nctdtrinc, stdtr, stdtrit

from aar_lab.errors import BadInput
from aar_lab.metrics.outcomes import Outcomes, check_pairing, matrix, unit_array
from aar_lab.metrics.ratio import measure, ratio_estimate
from aar_lab.types import Estimate, FloatArray

# Of first, second, weak and ceiling: the coefficients of first − second and of ceiling − weak.
CONTRASTS = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 1.0]])

# So many standard deviations no normal exceeds, not even the greatest of 10⁹.
END = 12


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same weak seeds and test items.

    Args:
        gain: PGR of the first minus that of the second, with its 95 % interval.
        p_value: of "no gain", two-sided, in [0, 1].
        error: standard error of the gain if there is none, in PGR.
        freedom: its degrees of freedom.
    """

    gain: Estimate
    p_value: float
    error: float
    freedom: float


def paired_gain(first: Outcomes, second: FloatArray) -> Estimate:
    """PGR(first) − PGR(second) with its 95 % interval; the gain of `compare`, which see."""
    return compare(first, second).gain


def compare(first: Outcomes, second: FloatArray) -> Comparison:
    """PGR(first) − PGR(second), paired on weak seeds and test items, and a test of "no gain".

    With D the difference and g = ceiling − weak, Var(D) = V / g² as in `pgr_estimate`, where the
    seeds give var_s(t1_s − t2_s + D w_s) / S + D² var(c_s) / S_C and the items t1 − t2 + D w − D c,
    so the uncertainty of g is included. Without a gain, D = 0 and g drops out: the p-value is that
    of t = (t1 − t2) / error. Where t1 − t2 does not vary at all it is 1 if D = 0, else 0.

    Args:
        first: paired outcomes of the first method.
        second: shape (S, n); row i learnt from the same weak seed as row i of `first.transfer`.

    Raises:
        BadInput: `first` is not paired or the rows of `second` do not match.
        BadProbabilities: `second` is mis-shaped or has a value that is no number in [0, 1].
        UndefinedPGR: as in `pgr_estimate`.
    """
    if not first.paired:
        raise BadInput("unpaired outcomes", "no seed is shared", "Compare on the same weak seeds.")
    second = matrix("second", second, first.clusters.size)
    check_pairing("second", second, first.weak)
    rows = (first.transfer, second, first.weak, first.ceiling)
    spread = measure(rows, ((0, 1, 2), (3,)), first.clusters, CONTRASTS)
    weak, ceiling = float(first.weak.mean()), float(first.ceiling.mean())
    top = float(first.transfer.mean() - second.mean())
    gain = ratio_estimate(top, weak, ceiling, spread)
    no_gain = np.array([1.0, 0.0])
    error, freedom = spread.error(no_gain), spread.degrees(no_gain)
    return Comparison(
        gain=gain,
        p_value=_two_sided(top, error, freedom),
        error=error / (ceiling - weak),
        freedom=freedom,
    )


def _two_sided(difference: float, error: float, freedom: float) -> float:
    if error == 0:
        return float(difference == 0)
    return float(2 * stdtr(freedom, -abs(difference) / error))


def holm(p_values: Sequence[float] | FloatArray) -> FloatArray:
    """P-values adjusted for being m tests, in the given order (Holm 1979).

    The i-th smallest of m becomes max_{j ≤ i} min(1, (m − j + 1) p_(j)). Rejecting what is then at
    most α keeps the probability of any false rejection at most α, however the tests depend.

    Raises:
        BadProbabilities: a p-value is not a number in [0, 1].
    """
    raw = unit_array(p_values, 1)
    order = np.argsort(raw, kind="stable")
    scaled = np.minimum(1, raw[order] * np.arange(raw.size, 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.maximum.accumulate(scaled)
    return adjusted


def minimum_detectable(
    error: float, freedom: float, power: float = 0.8, level: float = 0.05
) -> float:
    """The true gain at which a two-sided t-test rejects "no gain" with the given power.

    δ = error · λ, with λ the non-centrality at which the test of that level has that power.

    Args:
        error: standard error of the gain, in PGR, ≥ 0; such as `Comparison.error`.
        freedom: its degrees of freedom, ≥ 1.
        power: in (level, 1).
        level: in (0, 1).

    Raises:
        BadInput: an argument is out of range.
    """
    good = 0 <= error < math.inf and 1 <= freedom < math.inf and 0 < level < power < 1
    if not good:
        raise BadInput(
            f"error {error}, freedom {freedom}, power {power}, level {level}",
            "out of range",
            "Give error ≥ 0, freedom ≥ 1 and 0 < level < power < 1.",
        )
    critical = stdtrit(freedom, 1 - level / 2)
    return error * float(nctdtrinc(freedom, 1 - power, critical))


def best_of_k_bias(error: float, trials: int) -> float:
    """By how much the best of k noisy scores of one method exceeds its mean, on average.

    error · E[max of k standard normals], the expectation being ∫ x dF with F = Φ(x)^k.

    Args:
        error: standard deviation of one score, in PGR, ≥ 0.
        trials: k, from 1 to 10⁹.

    Raises:
        BadInput: an argument is out of range.
    """
    if not (0 <= error < math.inf and 1 <= trials <= 10**9):
        raise BadInput(
            f"error {error}, trials {trials}", "out of range", "Give error ≥ 0, trials 1…10⁹."
        )
    # In parts, ∫ x dF = END − ∫ F dx from −END, where F = 0, to END, where F = 1.
    grid, step = np.linspace(-END, END, 200 * END + 1, retstep=True)
    below = np.exp(trials * log_ndtr(grid))
    return error * float(END - step * (below.sum() - 0.5))
