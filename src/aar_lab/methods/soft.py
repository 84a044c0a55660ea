"""Fine-tuning on the weak supervisor's probabilities.

    min over f of  CE(f(x), p_w(x))

Burns et al. 2023, arXiv 2312.09390, section 3; Hinton et al. 2015, arXiv 1503.02531.
"""

from __future__ import annotations

from dataclasses import dataclass

from aar_lab.learners.base import Plan
from aar_lab.methods.base import Rng, Task
from aar_lab.types import Student

FAMILY = "distillation"


@dataclass(frozen=True)
class Args:
    """Epochs and peak rate of the fit."""

    epochs: int = 2
    rate: float = 1e-3


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fine-tuned on soft weak labels."""
    student = task.student()
    plan = Plan(epochs=args.epochs, rate=args.rate)
    student.fit(task.inputs, task.weak.probs, rng, plan=plan)
    return Student((student.save(),))
