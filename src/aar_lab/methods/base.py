"""What a method is: a function from a task and a random stream to a student."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aar_lab.errors import BadIds, BadInput
from aar_lab.learners.base import Learner
from aar_lab.problems.bundle import NO_ALTERNATIVES, Formats
from aar_lab.types import FloatArray, Inputs, WeakLabels


@dataclass(frozen=True)
class Task:
    """All that a method is given.

    Args:
        inputs: n examples of `train_unlabeled`.
        weak: the weak supervisor's P(y = 1) for exactly these examples, in the same order.
        student: makes a fresh pretrained strong student at each call.
        formats: how the problem writes its examples; None if it does not say.
    """

    inputs: Inputs
    weak: WeakLabels
    student: Callable[[], Learner]
    formats: Formats | None = None

    def __post_init__(self) -> None:
        if self.inputs.ids != self.weak.ids:
            object.__setattr__(
                self,
                "weak",
                WeakLabels(self.inputs.ids, self.weak.aligned(self.inputs.ids), self.weak.seed),
            )
        if len(self.inputs) < 2:
            raise BadIds(f"{len(self.inputs)} example", "too few to train on", "Give two or more.")

    def alternatives(self) -> tuple[str, str]:
        """The two fields that hold an example's alternatives; `BadInput` if there are none."""
        return self._written().alternatives()

    def in_both_orders(self, targets: FloatArray) -> tuple[Inputs, FloatArray]:
        """The n inputs and n targets in both orders, see `Formats.in_both_orders`."""
        return self._written().in_both_orders(self.inputs, targets)

    def _written(self) -> Formats:
        if self.formats is None:
            raise BadInput("formats None", NO_ALTERNATIVES, "Use another method.")
        return self.formats


TrainFunction = Callable[..., Any]


@dataclass(frozen=True)
class Effort:
    """What a method spends on the student it returns, beside what its recipe says.

    A ceiling is matched to a method by spending the same on the truth.

    Args:
        passes: over the training data, as the last fits see them, 0…20; 0: it trains nothing, and
            is measured against the plain ceiling.
        both_orders: trained on every pair in both orders.
    """

    passes: int
    both_orders: bool = False


@dataclass(frozen=True)
class Method:
    """A registered method: `train(task, rng, args) -> Student` and the class of its arguments."""

    name: str
    train: TrainFunction
    args: type
    family: str
    summary: str
    effort: Callable[[Any], Effort]


Rng = np.random.Generator


def hard_labels(probs: FloatArray) -> FloatArray:
    """1[p > ½], and ½ where p is exactly ½, so that neither class is favoured; shape (n,)."""
    return np.where(probs == 0.5, 0.5, (probs > 0.5).astype(np.float64))
