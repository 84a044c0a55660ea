"""A learner that learns nothing but tells what a method asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from tests.tiny import PROBLEM, examples, weak_labels

from aar_lab.learners.base import Learner, Plan
from aar_lab.methods.base import Rng, Task
from aar_lab.types import FloatArray, Inputs, WeakLabels, Weights

INPUTS, TRUTH = examples(24)
WEAK = weak_labels(INPUTS, TRUTH)


@dataclass
class Recorder:
    """A learner that learns nothing and remembers what it was asked; predicts the mean target.

    `states` are its embeddings by example id, `losses` what it reports of an id in each epoch.
    """

    fits: list[tuple[Inputs, FloatArray, Plan]] = field(default_factory=list)
    weights: list[FloatArray | None] = field(default_factory=list)
    shown: list[Inputs] = field(default_factory=list)
    states: Mapping[str, FloatArray] = field(default_factory=dict)
    losses: Mapping[str, FloatArray] = field(default_factory=dict)
    layers: int = 2
    templates: int = 1

    def fit(
        self,
        inputs: Inputs,
        targets: FloatArray,
        rng: Rng,
        weights: FloatArray | None = None,
        plan: Plan = Plan(),  # noqa: B008  frozen
    ) -> FloatArray:
        self.fits.append((inputs, targets, plan))
        self.weights.append(weights)
        unseen = np.zeros(plan.epochs)
        return np.stack([self.losses.get(name, unseen) for name in inputs.ids], axis=1)

    def predict(self, inputs: Inputs, view: str = "plain") -> FloatArray:
        self.shown.append(inputs)
        return np.full(len(inputs), self.fits[-1][1].mean())

    def embed(self, inputs: Inputs, layer: int = -1, view: str = "plain") -> FloatArray:
        return np.stack([self.states.get(name, np.zeros(1)) for name in inputs.ids])

    def zero_shot(self, inputs: Inputs, template: int = 0) -> FloatArray:
        return np.zeros(len(inputs))

    def save(self) -> Weights:
        return {}

    def load(self, weights: Weights) -> None:
        self.fits.clear()


def recorded(
    weak: WeakLabels = WEAK,
    inputs: Inputs = INPUTS,
    states: Mapping[str, FloatArray] | None = None,
    losses: Mapping[str, FloatArray] | None = None,
) -> tuple[Task, list[Recorder]]:
    """A task whose students record, and the list that they are put on when they are made."""
    made: list[Recorder] = []

    def make() -> Learner:
        made.append(Recorder(states=states or {}, losses=losses or {}))
        return made[-1]

    return Task(inputs, weak, make, PROBLEM.formats), made
