"""Accuracy, performance gap recovered (PGR), and the comparison of two methods.

The unit is a correctness matrix of shape (seeds, items) with values in [0, 1]: 1 where the model
of that seed answers that item correctly. Items of one problem share a cluster.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aar_lab.errors import BadInput, BadProbabilities, TooFewSeeds, Undefined, UndefinedPGR
from aar_lab.metrics.ratio import measure, ratio_estimate
from aar_lab.types import Estimate, FloatArray, Reference


def correct(probs: npt.ArrayLike, truth: npt.ArrayLike, threshold: float = 0.5) -> FloatArray:
    """1.0 where P(y = 1) falls on the side of the truth, else 0.0.

    Args:
        probs: shape (n,), in [0, 1]. A value exactly at the threshold counts as class 0.
        truth: shape (n,), 0 or 1.
        threshold: in (0, 1).

    Raises:
        BadProbabilities: shapes differ, or a value is not finite or out of range.
    """
    given, labels = _unit_array(probs, 1), _unit_array(truth, 1)
    if given.size != labels.size:
        raise BadProbabilities(
            f"{given.size} probabilities, {labels.size} labels",
            "their numbers differ",
            "Give one probability for each label.",
        )
    return np.asarray((given > threshold) == (labels == 1), dtype=np.float64)


def reference(accuracies: Sequence[float] | FloatArray) -> Reference:
    """Number, mean and standard error of the mean of accuracies over seeds, in [0, 1].

    Raises:
        BadProbabilities: an accuracy is not a number in [0, 1].
        TooFewSeeds: fewer than two.
    """
    values = _unit_array(accuracies, 1)
    _check_seeds(values.size)
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    return Reference(n=values.size, mean=float(values.mean()), se=error)


def pgr(transfer: float, weak: float, ceiling: float) -> float:
    """Performance gap recovered, (transfer − weak) / (ceiling − weak) (Burns et al. 2023).

    0 is the weak supervisor, 1 the ceiling; neither bounds it.

    Raises:
        BadInput: an argument is not finite.
        UndefinedPGR: the ceiling does not exceed the weak accuracy.
    """
    if not all(map(math.isfinite, (transfer, weak, ceiling))):
        raise BadInput(
            f"transfer {transfer}, weak {weak}, ceiling {ceiling}",
            "an accuracy is not finite",
            "Correct it before asking for PGR.",
        )
    if ceiling <= weak:
        raise UndefinedPGR(
            f"ceiling {ceiling:.4f}, weak {weak:.4f}",
            "PGR is undefined because the ceiling does not exceed the weak accuracy",
            "Train the ceiling longer or choose a weaker supervisor, then measure the anchors.",
        )
    return (transfer - weak) / (ceiling - weak)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Correctness of weak supervisors, ceilings and transferred students on the same n items.

    Args:
        weak: shape (S_W, n), in [0, 1].
        ceiling: shape (S_C, n).
        transfer: shape (S_T, n).
        clusters: shape (n,), integers; items with the same number belong to one problem.
        paired: row i of transfer learnt from row i of weak, hence S_T = S_W.

    Raises:
        BadProbabilities: a matrix is mis-shaped or has a value that is no number in [0, 1].
        BadInput: clusters or, if paired, the rows of transfer do not match.
        TooFewSeeds: a matrix has fewer than two rows.
        Undefined: fewer than two problems.
    """

    weak: FloatArray
    ceiling: FloatArray
    transfer: FloatArray
    clusters: npt.NDArray[np.intp]
    paired: bool = True

    def __post_init__(self) -> None:
        clusters = _clusters(self.clusters)
        for name in ("weak", "ceiling", "transfer"):
            object.__setattr__(self, name, _matrix(name, getattr(self, name), clusters.size))
        object.__setattr__(self, "clusters", clusters)
        if self.paired:
            _check_pairing("transfer", self.transfer, self.weak)


def pgr_estimate(outcomes: Outcomes) -> Estimate:
    """PGR of the mean accuracies with its 95 % interval over seeds and clustered items.

    With P = PGR and g = ceiling − weak, the delta method gives Var(P) = V / g², where V sums

    - var_s(t_s − (1−P) w_s) / S over paired seeds; where transfer and weak are not paired,
      var(t_s) / S_T + (1−P)² var(w_s) / S_W instead;
    - P² var(c_s) / S_C;
    - G/(G−1) Σ_clusters (Σ_items t − (1−P) w − P c)² / n², each averaged over seeds.

    The noise peculiar to one seed on one item enters the first and the last term: V errs upwards.
    If g is less than ten standard errors, the interval is the Fieller set instead. It is unbounded
    on one side, or both, where the data exclude no slope there. Whether PGR is refused depends on
    the anchors alone, never on the transfer.

    Raises:
        UndefinedPGR: g ≤ 0 or t² var(g) ≥ g²: the gap is not measurably above zero.
    """
    rows = (outcomes.transfer, outcomes.weak, outcomes.ceiling)
    blocks = ((0, 1), (2,)) if outcomes.paired else ((0,), (1,), (2,))
    spread = measure(rows, blocks, outcomes.clusters)
    return ratio_estimate(rows, (1, -1, 0), spread)


def paired_gain(first: Outcomes, second: FloatArray) -> Estimate:
    """PGR(first) − PGR(second) with its 95 % interval, paired on weak seeds and test items.

    With D the difference and g = ceiling − weak, Var(D) = V / g² as in `pgr_estimate`, where the
    seeds give var_s(t1_s − t2_s + D w_s) / S + D² var(c_s) / S_C and the items t1 − t2 + D w − D c,
    so the uncertainty of g is included.

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
    second = _matrix("second", second, first.clusters.size)
    _check_pairing("second", second, first.weak)
    rows = (first.transfer, second, first.weak, first.ceiling)
    spread = measure(rows, ((0, 1, 2), (3,)), first.clusters)
    return ratio_estimate(rows, (1, -1, 0, 0), spread)


def _unit_array(values: npt.ArrayLike, dimensions: int) -> FloatArray:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadProbabilities(
            type(values).__name__, f"not an array of numbers ({error})", "Give one."
        ) from error
    if array.ndim != dimensions or not ((array >= 0) & (array <= 1)).all():
        raise BadProbabilities(
            f"array of shape {array.shape}",
            f"not {dimensions}-dimensional with finite values in [0, 1]",
            "Correct its shape and values.",
        )
    return array


def _check_seeds(count: int) -> None:
    if count < 2:
        raise TooFewSeeds(
            f"{count} seed", "no variance over seeds can be estimated", "Use at least two seeds."
        )


def _matrix(name: str, values: npt.ArrayLike, items: int) -> FloatArray:
    array = _unit_array(values, 2)
    if array.shape[1] != items:
        raise BadProbabilities(
            f"{name} of shape {array.shape}",
            f"the other matrices have {items} items",
            "Score every model on the same items.",
        )
    _check_seeds(array.shape[0])
    array.flags.writeable = False
    return array


def _check_pairing(name: str, rows: FloatArray, weak: FloatArray) -> None:
    if rows.shape[0] != weak.shape[0]:
        raise BadInput(
            f"{rows.shape[0]} rows of {name}, {weak.shape[0]} of weak",
            "paired rows differ in number",
            "Give one student for each weak seed.",
        )


def _clusters(values: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The problem of each item, renumbered as 0…problems−1."""
    given = np.asarray(values)
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer):
        raise BadInput(
            f"clusters of shape {given.shape} and type {given.dtype}",
            "not a list of integers",
            "Give the number of its problem for each item.",
        )
    names, index = np.unique(given, return_inverse=True)
    if names.size < 2:
        raise Undefined(
            f"{names.size} problem",
            "no variance over problems can be estimated",
            "Use items of at least two problems.",
        )
    return index
