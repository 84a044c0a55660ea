"""What every strong student can do, whatever it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aar_lab.errors import BadInput
from aar_lab.learners.losses import Loss, cross_entropy
from aar_lab.types import FloatArray, Inputs, Weights


@dataclass(frozen=True)
class Plan:
    """How to fit.

    Args:
        epochs: passes over the data, 1…20.
        rate: peak rate of AdamW, in (0, 0.1]; linear warm-up, then linear decay to 0.
        batch: rows a step, 1…1024.
        warmup: share of the steps spent warming up, in [0, 1).
        head: factor on the rate of the new head, in (0, 100].
        loss: see `aar_lab.learners.losses`.
    """

    epochs: int = 2
    rate: float = 1e-3
    batch: int = 32
    warmup: float = 0.1
    head: float = 3.0
    loss: Loss = cross_entropy

    def __post_init__(self) -> None:
        if not (1 <= self.epochs <= 20 and 0 < self.rate <= 0.1 and 1 <= self.batch <= 1024):
            raise BadInput(
                f"epochs {self.epochs}, rate {self.rate}, batch {self.batch}",
                "outside 1…20, (0, 0.1], 1…1024",
                "Choose values inside.",
            )
        if not (0 <= self.warmup < 1 and 0 < self.head <= 100):
            raise BadInput(
                f"warmup {self.warmup}, head {self.head}",
                "outside [0, 1), (0, 100]",
                "Choose values inside.",
            )


class Learner(Protocol):
    """A strong student that starts from pretrained weights.

    Probabilities are P(y = 1), float64 of shape (n,), in the order of the inputs.
    """

    @property
    def layers(self) -> int:
        """Number of blocks; `embed` reads after 1…layers of them."""
        ...

    @property
    def templates(self) -> int:
        """Number of pretraining formats; `zero_shot` knows 0…templates − 1. May be 0."""
        ...

    def fit(
        self,
        inputs: Inputs,
        targets: FloatArray,
        rng: np.random.Generator,
        weights: FloatArray | None = None,
        plan: Plan = ...,
    ) -> FloatArray:
        """Train on hard or soft targets in [0, 1] of shape (n,), examples weighted by `weights`
        (n,) ≥ 0, default 1. Returns the cross-entropy in nats of each example against its target
        when it was seen in each epoch, before the step, shape (epochs, n)."""
        ...

    def predict(self, inputs: Inputs, view: str = "plain") -> FloatArray:
        """P(y = 1); the view "swap" exchanges the alternatives and complements the answer, the
        view "elicit" asks the present weights in the first pretraining format."""
        ...

    def embed(self, inputs: Inputs, layer: int = -1, view: str = "plain") -> FloatArray:
        """State at the last token after `layer` blocks (−1: all, normed), shape (n, width).

        The views "plain" and "swap" are the task's row, "first" and "second" one alternative
        judged in the first pretraining format."""
        ...

    def zero_shot(self, inputs: Inputs, template: int = 0) -> FloatArray:
        """Log-odds of y = 1, shape (n,), as the pretrained model answers in a pretraining format;
        `BadInput` if the problem has none of that number."""
        ...

    def save(self) -> Weights:
        """The weights as data."""
        ...

    def load(self, weights: Weights) -> None:
        """Replace the weights; `BadWeights` if names, shapes or values do not fit."""
        ...


class Writer(Protocol):
    """Turns examples into rows of token ids; the only reader of an example's text."""

    likes: list[int]
    dislikes: list[int]
    templates: int

    def task(self, inputs: Inputs, view: str = "plain") -> list[list[int]]:
        """One row per example, in the task's format."""
        ...

    def elicit(self, inputs: Inputs, template: int = 0) -> tuple[list[list[int]], list[list[int]]]:
        """Each of the two alternatives judged in a pretraining format."""
        ...
