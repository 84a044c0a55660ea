"""A curriculum from the labels that are cheap to describe to all of them.

    S = {the ⌈s·n⌉ examples with the largest |p_w(x) − ½|}
    min over f of  CE(f(x), p_w(x)) over S;   then, from there,  over all x at half the rate

Confident weak labels are taken for those with a short description by simple features (minimum
description length), and a student that starts from them for one that reads the rest in their light.
Found in the automated weak-to-strong study (April 2026). Curricula against wrong labels: Jiang et
al. 2018, "MentorNet", arXiv 1712.05055.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar_lab.learners.base import Plan
from aar_lab.methods.base import Effort, Rng, Task
from aar_lab.types import Student

FAMILY = "curriculum"


@dataclass(frozen=True)
class Args:
    """Share of the examples to begin with, in (0, 1]; epochs on these and on all; the peak rate of
    the first fit, and the factor on it of the second, in (0, 1]."""

    share: float = 0.5
    first_epochs: int = 2
    epochs: int = 3
    rate: float = 1e-3
    slower: float = 0.5


def effort(args: Args) -> Effort:
    """Both fits, as the examples of the first see them."""
    return Effort(args.first_epochs + args.epochs)


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fitted on the confident examples, then on all of them."""
    surest = np.argsort(-np.abs(task.weak.probs - 0.5), kind="stable")
    first = np.sort(surest[: int(np.ceil(args.share * len(surest)))])
    student = task.student()
    plan = Plan(epochs=args.first_epochs, rate=args.rate)
    student.fit(task.inputs.take(first), task.weak.probs[first], rng, plan=plan)
    plan = Plan(epochs=args.epochs, rate=args.rate * args.slower)
    student.fit(task.inputs, task.weak.probs, rng, plan=plan)
    return Student((student.save(),))
