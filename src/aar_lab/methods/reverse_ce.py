"""Fine-tuning with the reverse cross-entropy, which seeks a mode of the weak label.

    min over f of  −f(x) log p_w(x) − (1 − f(x)) log(1 − p_w(x)),   p_w clipped to [0.02, 0.98]

Yao et al. 2025, "Revisiting weak-to-strong generalization in theory and practice: reverse KL vs.
forward KL", arXiv 2502.11107.
"""

from __future__ import annotations

from dataclasses import dataclass

from aar_lab.learners.base import Plan
from aar_lab.learners.losses import reverse_cross_entropy
from aar_lab.methods.base import Rng, Task
from aar_lab.types import Student

FAMILY = "loss function"


@dataclass(frozen=True)
class Args:
    """Epochs and peak rate of the fit."""

    epochs: int = 2
    rate: float = 1e-3


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student that is surest where the weak supervisor is."""
    student = task.student()
    plan = Plan(epochs=args.epochs, rate=args.rate, loss=reverse_cross_entropy)
    student.fit(task.inputs, task.weak.probs, rng, plan=plan)
    return Student((student.save(),))
