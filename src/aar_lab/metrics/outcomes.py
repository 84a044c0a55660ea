"""Correctness of models on items, and what it must look like.

The unit is a correctness matrix of shape (seeds, items) with values in [0, 1]: 1 where the model
of that seed answers that item correctly. Items of one problem share a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aar_lab.errors import BadInput, BadProbabilities, TooFewSeeds, Undefined
from aar_lab.types import FloatArray


def correct(probs: npt.ArrayLike, truth: npt.ArrayLike, threshold: float = 0.5) -> FloatArray:
    """1.0 where P(y = 1) falls on the side of the truth, else 0.0.

    Args:
        probs: shape (n,), in [0, 1]. A value exactly at the threshold counts as class 0.
        truth: shape (n,), 0 or 1.
        threshold: in (0, 1).

    Raises:
        BadProbabilities: shapes differ, or a value is not finite or out of range.
    """
    given, labels = unit_array(probs, 1), unit_array(truth, 1)
    if given.size != labels.size:
        raise BadProbabilities(
            f"{given.size} probabilities, {labels.size} labels",
            "their numbers differ",
            "Give one probability for each label.",
        )
    return np.asarray((given > threshold) == (labels == 1), dtype=np.float64)


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
            object.__setattr__(self, name, matrix(name, getattr(self, name), clusters.size))
        object.__setattr__(self, "clusters", clusters)
        if self.paired:
            check_pairing("transfer", self.transfer, self.weak)


def unit_array(values: npt.ArrayLike, dimensions: int, name: str = "values") -> FloatArray:
    """The values as float64, or `BadProbabilities` unless all are numbers in [0, 1]."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadProbabilities(
            f"{name}: {type(values).__name__}", f"not an array of numbers ({error})", "Give one."
        ) from error
    if array.ndim != dimensions:
        raise BadProbabilities(
            f"{name} of shape {array.shape}", f"not {dimensions}-dimensional", "Correct its shape."
        )
    bad = ~((array >= 0) & (array <= 1))
    if bad.any():
        raise BadProbabilities(
            f"{array[bad][0]} among {name}", "not a number in [0, 1]", "Correct the value."
        )
    return array


def check_seeds(count: int, name: str = "values") -> None:
    """Raise `TooFewSeeds` below two."""
    if count < 2:
        raise TooFewSeeds(
            f"{count} seed of {name}",
            "no variance over seeds can be estimated",
            "Use at least two seeds.",
        )


def matrix(name: str, values: npt.ArrayLike, items: int) -> FloatArray:
    """A read-only correctness matrix of that many items and at least two seeds."""
    array = unit_array(values, 2, name)
    if array.shape[1] != items:
        raise BadProbabilities(
            f"{name} of shape {array.shape}",
            f"the other matrices have {items} items",
            "Score every model on the same items.",
        )
    check_seeds(array.shape[0], name)
    array.flags.writeable = False
    return array


def check_pairing(name: str, rows: FloatArray, weak: FloatArray) -> None:
    """Raise `BadInput` unless there is one row for each weak seed."""
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
