"""Fine-tuning with the auxiliary confidence loss.

    min over f of  CE(f, (1 − α_t)·p_w + α_t·1[sg(f) > τ])

τ is the quantile of f that keeps the classes' balance; α_t rises linearly to α over the first
fifth of the steps. Burns et al. 2023, arXiv 2312.09390, section 4.3 and appendix A.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from aar_lab.learners.base import Plan
from aar_lab.learners.losses import LogConf
from aar_lab.methods.base import Rng, Task
from aar_lab.types import Student

FAMILY = "loss function"


@dataclass(frozen=True)
class Args:
    """Largest weight α of the student's own labels, in [0, 1]; epochs and peak rate."""

    alpha: float = 0.5
    epochs: int = 2
    rate: float = 1e-3


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fine-tuned to agree with the weak labels and, increasingly, with itself."""
    student = task.student()
    plan = Plan(epochs=args.epochs, rate=args.rate, loss=LogConf(most=args.alpha))
    student.fit(task.inputs, task.weak.probs, rng, plan=plan)
    return Student((student.save(),))
