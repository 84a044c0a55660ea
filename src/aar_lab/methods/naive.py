"""Naive fine-tuning on the weak supervisor's hard labels.

    min over f of  CE(f(x), 1[p_w(x) > ½])

Burns et al. 2023, "Weak-to-strong generalization", arXiv 2312.09390, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from aar_lab.learners.base import Plan
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.types import Student

FAMILY = "other"


@dataclass(frozen=True)
class Args:
    """Epochs and peak rate of the fit."""

    epochs: int = 2
    rate: float = 1e-3


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fine-tuned on hard weak labels."""
    student = task.student()
    plan = Plan(epochs=args.epochs, rate=args.rate)
    student.fit(task.inputs, hard_labels(task.weak.probs), rng, plan=plan)
    return Student((student.save(),))
