"""Born-again students: each generation learns the out-of-fold predictions of the one before.

    q_0 = p_w;   q_{k+1}(x) = f_k(x) for x in fold j, f_k a fresh student fitted on q_k outside j
    min over f of  CE(f(x), q_K(x))

Furlanello et al. 2018, "Born-again neural networks", arXiv 1805.04770.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar_lab.learners.base import Plan
from aar_lab.methods.base import Rng, Task
from aar_lab.types import FloatArray, Student

FAMILY = "self-training"


@dataclass(frozen=True)
class Args:
    """Generations K ≥ 1, folds ≥ 2; epochs and peak rate of each fit."""

    generations: int = 1
    folds: int = 2
    epochs: int = 2
    rate: float = 1e-3


def out_of_fold(task: Task, targets: FloatArray, rng: Rng, folds: int, plan: Plan) -> FloatArray:
    """P(y = 1) of each example by a fresh student that was fitted without its fold, shape (n,)."""
    found = np.empty(len(task.inputs))
    order = rng.permutation(len(task.inputs))
    for fold in range(folds):
        held = np.sort(order[fold::folds])
        rest = np.setdiff1d(order, held)
        student = task.student()
        student.fit(task.inputs.take(rest), targets[rest], rng, plan=plan)
        found[held] = student.predict(task.inputs.take(held))
    return found


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fitted on the last generation's out-of-fold predictions."""
    plan = Plan(epochs=args.epochs, rate=args.rate)
    targets = task.weak.probs
    for _ in range(args.generations):
        targets = out_of_fold(task, targets, rng, args.folds, plan)
    student = task.student()
    student.fit(task.inputs, targets, rng, plan=plan)
    return Student((student.save(),))
