"""Fine-tuning on the weak label and the student's own, weighed anew for each example.

    min over f of  (1 − β(x))·CE(f(x), p_w(x)) + β(x)·CE(f(x), ŷ(x)),   ŷ = 1[sg(f) > ½]
    β(x) = e^(CE(f, ŷ)/T) / (e^(CE(f, ŷ)/T) + e^(CE(f, ỹ)/T)),   ỹ = 1[p_w > ½], f detached

β ≤ ½, and it rises linearly from 0 over the first quarter of the steps. Guo et al. 2024, "Vision
superalignment: weak-to-strong generalization for vision foundation models", arXiv 2402.03749.
"""

from __future__ import annotations

from dataclasses import dataclass

from aar_lab.learners.base import Plan
from aar_lab.learners.losses import AdaptConf
from aar_lab.methods.base import Rng, Task
from aar_lab.types import Student

FAMILY = "loss function"


@dataclass(frozen=True)
class Args:
    """Temperature T > 0 of β; share of the steps until β is full, in [0, 1]; epochs; peak rate."""

    temperature: float = 1.0
    warmup: float = 0.25
    epochs: int = 2
    rate: float = 1e-3


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student that listens to itself where it agrees with the weak label."""
    student = task.student()
    loss = AdaptConf(args.temperature, args.warmup)
    plan = Plan(epochs=args.epochs, rate=args.rate, loss=loss)
    student.fit(task.inputs, task.weak.probs, rng, plan=plan)
    return Student((student.save(),))
