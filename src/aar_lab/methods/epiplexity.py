"""Out-of-fold labels, believed as far as the weak labels behind them could be learnt.

    q(x) = f_j(x) for x in fold j,  f_j a fresh student fitted on p_w outside j
    g(x) = ℓ_1(x) − ℓ_E(x),  the loss of p_w(x) when first seen less when last seen, in such a fit
    t(x) = ½ + (q(x) − ½)·min(1, r(x)/s)^γ,   r(x) in [0, 1) the rank of g(x) from below
    min over f of  CE(f(x), t(x)) + CE(f(x̃), 1 − t(x)),   x̃ with its alternatives exchanged

Epiplexity is what a bounded learner can learn of data: the area under its loss curve above the last
loss (Finzi et al. 2026, arXiv 2601.03220); g is its share of one example. The use for weak labels
was found in the automated weak-to-strong study (April 2026).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar_lab.errors import BadInput
from aar_lab.learners.base import Plan
from aar_lab.methods.base import Effort, Rng, Task
from aar_lab.types import FloatArray, Student

FAMILY = "data filtering"


@dataclass(frozen=True)
class Args:
    """Folds ≥ 2; share s of the examples to smooth, in [0, 1]; exponent γ ≥ 0; train on both orders
    of a pair?; epochs ≥ 2 and peak rate of each fit."""

    folds: int = 2
    share: float = 0.4
    gamma: float = 2.0
    both_orders: bool = True
    epochs: int = 2
    rate: float = 1e-3


def effort(args: Args) -> Effort:
    """One fit, on both orders if asked for."""
    return Effort(args.epochs, args.both_orders)


def crossed(task: Task, rng: Rng, args: Args) -> tuple[FloatArray, FloatArray]:
    """q and g of each example, shape (n,); g is a mean over the students that were fitted on it."""
    size, plan = len(task.inputs), Plan(epochs=args.epochs, rate=args.rate)
    labels, gains = np.empty(size), np.zeros(size)
    order = rng.permutation(size)
    for fold in range(args.folds):
        held = np.sort(order[fold :: args.folds])
        rest = np.setdiff1d(order, held)
        student = task.student()
        losses = student.fit(task.inputs.take(rest), task.weak.probs[rest], rng, plan=plan)
        labels[held] = student.predict(task.inputs.take(held))
        gains[rest] += (losses[0] - losses[-1]) / (args.folds - 1)
    return labels, gains


def smoothed(labels: FloatArray, gains: FloatArray, share: float, gamma: float) -> FloatArray:
    """t of each example, shape (n,)."""
    rank = np.argsort(np.argsort(gains, kind="stable")) / len(gains)
    trust = np.minimum(1.0, rank / share) ** gamma if share > 0 else np.ones(len(gains))
    return 0.5 + (labels - 0.5) * trust


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student of smoothed out-of-fold labels; `BadInput` if there is no other order to train."""
    if args.epochs < 2:
        raise BadInput(f"epochs {args.epochs}", "no loss is seen twice", "Use two or more.")
    if args.both_orders:
        task.alternatives()
    inputs, targets = task.inputs, smoothed(*crossed(task, rng, args), args.share, args.gamma)
    if args.both_orders:
        inputs, targets = task.in_both_orders(targets)
    student = task.student()
    student.fit(inputs, targets, rng, plan=Plan(epochs=args.epochs, rate=args.rate))
    return Student((student.save(),))
