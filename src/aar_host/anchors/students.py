"""Training the references' students: pure functions of (prepared data, kind, seed)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from aar_host.vault import Part, Prepared
from aar_lab.errors import BadSettings
from aar_lab.experiment.run import run_method, student_factory
from aar_lab.learners.base import Plan
from aar_lab.learners.gpt import Gpt
from aar_lab.methods import get_method
from aar_lab.methods.base import Effort, Task
from aar_lab.rng import derive, stream
from aar_lab.types import Aggregate, Inputs, Predictions, Recipe, Student, WeakLabels, Weights


class Kind(StrEnum):
    """What a reference is; `NAIVE` and `CONFIDENT` are methods, run by the host itself."""

    WEAK = "weak"
    CEILING = "ceiling"
    NAIVE = "naive"
    CONFIDENT = "confident"


BASELINES = (Kind.NAIVE, Kind.CONFIDENT)


@dataclass(frozen=True)
class Match:
    """What a ceiling must spend to be matched to a method: the same, but on the truth.

    Args:
        recipe: the method's inference; its threshold is not matched.
        effort: the method's passes over the data, and whether it saw pairs in both orders.
    """

    recipe: Recipe
    effort: Effort

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"recipe": self.recipe.as_dict(), "effort": asdict(self.effort)}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Match:
        """From `as_dict`."""
        return cls(Recipe.from_dict(body["recipe"]), Effort(**body["effort"]))

    @classmethod
    def of(cls, recipe: Recipe, effort: Effort) -> Match:
        """The match of a method: answers by elicitation have no trained counterpart, so only the
        task's own views remain; aggregation is moot for a single answer."""
        if effort.passes == 0:
            return PLAIN
        views = tuple(view for view in recipe.views if view != "elicit") or ("plain",)
        many = len(views) * recipe.members > 1
        kept = Recipe(views, recipe.members, recipe.aggregate if many else Aggregate.MEAN)
        return cls(kept, effort)


PLAIN = Match(Recipe(), Effort(Plan().epochs))


@dataclass(frozen=True)
class Trainer:
    """Trains the references of one prepared data set."""

    prepared: Prepared

    def _supervision(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((self.prepared.host / "supervision.json").read_text())
        return body

    def factory(self, kind: Kind) -> Callable[[], Gpt]:
        """Makes the fresh model that a kind of reference starts from."""
        return self._weak if kind is Kind.WEAK else self._strong

    @cached_property
    def _weak(self) -> Callable[[], Gpt]:
        name = self._supervision()["weak"]
        path = self.prepared.host / f"{name}.safetensors"
        return student_factory(self.prepared.bundle.problem, name, path)

    @cached_property
    def _strong(self) -> Callable[[], Gpt]:
        name, bundle = self._supervision()["strong"], self.prepared.bundle
        return student_factory(bundle.problem, name, bundle.weights(name))

    def weak(self, seed: int) -> Student:
        """A weak supervisor, fitted to the truth on its own share of `train_labeled`.

        Alternatives it sees in both orders: one that favours a side would teach mostly that.
        """
        inputs = self.prepared.inputs(Part.TRAIN_LABELED)
        labels = self.prepared.vault.read(Part.TRAIN_LABELED)
        share = self._supervision()["weak_items"]
        rows = np.arange(seed * share, (seed + 1) * share)
        if rows[-1] >= len(inputs):
            most = len(inputs) // share
            raise BadSettings(f"weak seed {seed}", f"there is data for {most}", "Use fewer seeds.")
        read = self.as_read(Kind.WEAK, seed, inputs.take(rows))
        truth = labels.truth[rows].astype(np.float64)
        formats = self.prepared.bundle.problem.formats
        if formats.swap:
            read, truth = formats.in_both_orders(read, truth)
        learner, rng = self.factory(Kind.WEAK)(), stream(seed, Kind.WEAK, "fit")
        learner.fit(read, truth, rng, plan=Plan(**self._supervision()["weak_plan"]))
        return Student((learner.save(),))

    def as_read(self, kind: Kind, seed: int, inputs: Inputs) -> Inputs:
        """The inputs as a reference reads them: a weak supervisor misses words, others do not.

        It misses words of the alternatives, or where there are none of every field; the problem's
        gap stands for each. Which words is fixed by the supervisor's seed and the item's id.
        """
        if kind is not Kind.WEAK:
            return inputs
        misses, formats = self._supervision()["weak_misses"], self.prepared.bundle.problem.formats
        rows = []
        for name, row in zip(inputs.ids, inputs.data, strict=True):
            rng = stream(seed, "misses", name)
            read = {f: _thinned(row[f], misses, rng, formats.gap) for f in formats.swap or row}
            rows.append({**row, **read})
        return Inputs(inputs.ids, tuple(rows))

    def ceiling(self, seed: int, match: Match = PLAIN, known: Sequence[Weights] = ()) -> Student:
        """The strong student fitted to the truth of `train_unlabeled`, with a method's effort.

        `known` are its first members, where they have been trained before.
        """
        bundle = self.prepared.bundle
        inputs = bundle.inputs()
        truth = self.prepared.vault.read(Part.TRAIN_UNLABELED).truth.astype(np.float64)
        if match.effort.both_orders:
            inputs, truth = bundle.problem.formats.in_both_orders(inputs, truth)
        members = list(known)
        for member in range(len(known), match.recipe.members):
            purpose = ("fit",) if member == 0 else ("fit", member)
            learner, rng = self.factory(Kind.CEILING)(), stream(seed, Kind.CEILING, *purpose)
            learner.fit(inputs, truth, rng, plan=Plan(epochs=match.effort.passes))
            members.append(learner.save())
        return Student(tuple(members), match.recipe)

    def method(self, name: str, weak: WeakLabels) -> Student:
        """A registered method on one supervisor's labels, run by the host itself."""
        bundle = self.prepared.bundle
        task = Task(bundle.inputs(), weak, self._strong, bundle.problem.formats)
        return run_method(get_method(name).train, task, derive(weak.seed, "baseline"))

    def elicited(self, inputs: Inputs) -> Predictions | None:
        """The strong model asked directly through its pretraining format, untrained; None if the
        problem has no such format."""
        if not self.prepared.bundle.problem.formats.elicit:
            return None
        margins = self.factory(Kind.CEILING)().zero_shot(inputs)
        return Predictions(inputs.ids, 1 / (1 + np.exp(-margins)))


def _thinned(text: str, misses: float, rng: np.random.Generator, gap: str) -> str:
    words = text.split()
    kept = rng.random(len(words)) >= misses
    read = [word if keep else gap for word, keep in zip(words, kept, strict=True)]
    return " ".join(word for word in read if word)
