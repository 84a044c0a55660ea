"""Fine-tuning that knows how often the weak labels are wrong.

    forward:    min over f of  −log (Tᵀf(x))_ỹ,   T_ij = P(ỹ = j | y = i)
    confident:  min over f of  CE(f(x), ỹ(x))  over the x that confident learning does not doubt

T is read off an out-of-fold student g of the hard weak labels ỹ: T_11 and T_01 are the 97th and the
3rd percentile of g (Patrini et al. 2017, arXiv 1609.03683, section 3.4). Confident learning counts
for each pair of classes how many labels g confidently contradicts, and drops that many by margin
(Northcutt et al. 2021, arXiv 1911.00068; cleanlab's `prune_by_noise_rate`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cleanlab.filter import find_label_issues

from aar_lab.errors import BadInput, EmptySelection
from aar_lab.learners.base import Plan
from aar_lab.learners.batching import IntArray
from aar_lab.learners.losses import ForwardCorrection
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.methods.self_distill import out_of_fold
from aar_lab.types import FloatArray, Student

FAMILY = "loss function"
MODES = ("forward", "confident")
MIN_GAP = 1e-6


@dataclass(frozen=True)
class Args:
    """One of `MODES`; percentile that stands for a certain example, in (50, 100]; folds ≥ 2; epochs
    and peak rate of each fit."""

    mode: str = "forward"
    percentile: float = 97.0
    folds: int = 2
    epochs: int = 2
    rate: float = 1e-3


def transition(noisy: FloatArray, percentile: float) -> ForwardCorrection:
    """The loss for T as read off P(ỹ = 1 | x) of shape (n,).

    `EmptySelection` if no example looks more like one class than another: T is then singular.
    """
    given_0, given_1 = np.percentile(noisy, [100 - percentile, percentile])
    if given_1 - given_0 < MIN_GAP:
        raise EmptySelection(
            f"P(noisy label 1) from {given_0:.3f} to {given_1:.3f}",
            "no example stands for a class, and the noise cannot be told from the classes",
            "Use a method that assumes no noise matrix.",
        )
    return ForwardCorrection(float(given_0), float(given_1))


def undoubted(labels: FloatArray, noisy: FloatArray) -> IntArray:
    """Positions that confident learning keeps; `BadInput` unless both classes occur."""
    if len(np.unique(labels)) < 2:
        raise BadInput("weak labels of one class", "confident learning needs two", "Use another.")
    found = find_label_issues(
        labels.astype(int),
        np.stack([1 - noisy, noisy], axis=1),
        filter_by="prune_by_noise_rate",
        n_jobs=1,
    )
    return np.flatnonzero(~found)


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fitted on hard weak labels less their noise; examples at exactly ½ are left out."""
    if args.mode not in MODES:
        raise BadInput(repr(args.mode)[:80], "no such mode", f"One of: {', '.join(MODES)}.")
    labels, plan = hard_labels(task.weak.probs), Plan(epochs=args.epochs, rate=args.rate)
    noisy = out_of_fold(task, labels, rng, args.folds, plan)
    rows = np.flatnonzero(labels != 0.5)
    if len(rows) == 0:
        raise EmptySelection("weak labels", "all of them are exactly ½", "Give labels.")
    if args.mode == "forward":
        plan = Plan(plan.epochs, plan.rate, loss=transition(noisy, args.percentile))
    else:
        rows = rows[undoubted(labels[rows], noisy[rows])]
    student = task.student()
    student.fit(task.inputs.take(rows), labels[rows], rng, plan=plan)
    return Student((student.save(),))
