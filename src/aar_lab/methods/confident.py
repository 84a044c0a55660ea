"""Fine-tuning on the examples of which the weak supervisor is sure.

    min over f of  CE(f(x), 1[p_w(x) > ½])  over the x with max(p_w, 1 − p_w) > τ

The human-tuned filter baseline, τ = 0.75, of the automated weak-to-strong study (April 2026), in
the setting of Burns et al. 2023, arXiv 2312.09390.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar_lab.errors import EmptySelection
from aar_lab.learners.base import Plan
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.types import Student

FAMILY = "data filtering"


@dataclass(frozen=True)
class Args:
    """Confidence above which an example is kept, in [0.5, 1); epochs and peak rate of the fit."""

    threshold: float = 0.75
    epochs: int = 2
    rate: float = 1e-3


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fine-tuned on confident hard labels; `EmptySelection` if none is confident."""
    confidence = np.maximum(task.weak.probs, 1 - task.weak.probs)
    kept = np.flatnonzero(confidence > args.threshold)
    if len(kept) == 0:
        raise EmptySelection(
            f"threshold {args.threshold}",
            f"the surest weak label has confidence {confidence.max():.3f}",
            "Lower the threshold.",
        )
    student = task.student()
    plan = Plan(epochs=args.epochs, rate=args.rate)
    student.fit(task.inputs.take(kept), hard_labels(task.weak.probs[kept]), rng, plan=plan)
    return Student((student.save(),))
