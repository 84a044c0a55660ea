"""Training the references' students: pure functions of (prepared data, kind, seed)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from aar_host.vault import Labels, Part, Prepared
from aar_lab.errors import BadSettings
from aar_lab.experiment.run import make_task, run_method, student_factory
from aar_lab.learners.base import Plan
from aar_lab.learners.gpt import Gpt
from aar_lab.methods import get_method
from aar_lab.rng import derive, stream
from aar_lab.types import Inputs, Predictions, Student, WeakLabels


class Kind(StrEnum):
    """What a reference is; `NAIVE` and `CONFIDENT` are methods, run by the host itself."""

    WEAK = "weak"
    CEILING = "ceiling"
    NAIVE = "naive"
    CONFIDENT = "confident"


BASELINES = (Kind.NAIVE, Kind.CONFIDENT)


@dataclass(frozen=True)
class Trainer:
    """Trains the references of one prepared data set."""

    prepared: Prepared

    def _supervision(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((self.prepared.host / "supervision.json").read_text())
        return body

    def factory(self, kind: Kind) -> Callable[[], Gpt]:
        """Makes the fresh model that a kind of reference starts from."""
        bundle, names = self.prepared.bundle, self._supervision()
        if kind is Kind.WEAK:
            path = self.prepared.host / f"{names['weak']}.safetensors"
            return student_factory(bundle.problem, names["weak"], path)
        return student_factory(bundle.problem, names["strong"], bundle.weights(names["strong"]))

    def weak(self, seed: int) -> Student:
        """A weak supervisor, fitted to the truth on its own share of `train_labeled`."""
        inputs = self.prepared.inputs(Part.TRAIN_LABELED)
        labels = self.prepared.vault.read(Part.TRAIN_LABELED)
        share = self._supervision()["weak_items"]
        rows = np.arange(seed * share, (seed + 1) * share)
        if rows[-1] >= len(inputs):
            most = len(inputs) // share
            raise BadSettings(f"weak seed {seed}", f"there is data for {most}", "Use fewer seeds.")
        read = self.as_read(Kind.WEAK, seed, inputs.take(rows))
        return self._fitted(Kind.WEAK, read, labels.take(rows.tolist()), seed)

    def as_read(self, kind: Kind, seed: int, inputs: Inputs) -> Inputs:
        """The inputs as a reference reads them: a weak supervisor misses words, others do not.

        Which words is fixed by the supervisor's seed and the item's id.
        """
        if kind is not Kind.WEAK:
            return inputs
        misses, fields = self._supervision()["weak_misses"], self.prepared.bundle.problem.formats
        rows = []
        for name, row in zip(inputs.ids, inputs.data, strict=True):
            rng = stream(seed, "misses", name)
            rows.append({**row, **{f: _thinned(row[f], misses, rng) for f in fields.swap}})
        return Inputs(inputs.ids, tuple(rows))

    def ceiling(self, seed: int) -> Student:
        """The strong student fitted to the truth of `train_unlabeled`."""
        labels = self.prepared.vault.read(Part.TRAIN_UNLABELED)
        return self._fitted(Kind.CEILING, self.prepared.bundle.inputs(), labels, seed)

    def _fitted(self, kind: Kind, inputs: Inputs, labels: Labels, seed: int) -> Student:
        plan = Plan(**self._supervision()["weak_plan"]) if kind is Kind.WEAK else Plan()
        learner = self.factory(kind)()
        learner.fit(inputs, labels.truth.astype(np.float64), stream(seed, kind, "fit"), plan=plan)
        return Student((learner.save(),))

    def baseline(self, kind: Kind, weak: WeakLabels) -> Student:
        """A registered method on one supervisor's labels, run by the host itself."""
        bundle = self.prepared.bundle
        task = make_task(bundle, self._supervision()["strong"], bundle.inputs(), weak)
        return run_method(get_method(kind.value).train, task, derive(weak.seed, "baseline"))

    def elicited(self, inputs: Inputs) -> Predictions:
        """The strong model asked directly through its pretraining format, untrained."""
        margins = self.factory(Kind.CEILING)().zero_shot(inputs)
        return Predictions(inputs.ids, 1 / (1 + np.exp(-margins)))


def _thinned(text: str, misses: float, rng: np.random.Generator) -> str:
    words = text.split()
    kept = rng.random(len(words)) >= misses
    return " ".join(word for word, keep in zip(words, kept, strict=True) if keep)
