"""Training the references' students: pure functions of (prepared data, kind, seed)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aar_host.problems.base import ProblemSource
from aar_host.problems.prepare import Prepared
from aar_host.vault import Part
from aar_lab.experiment.run import make_task, run_method, student_factory
from aar_lab.learners.base import Plan
from aar_lab.learners.gpt import Gpt
from aar_lab.methods import get_method
from aar_lab.methods.base import Task
from aar_lab.rng import derive, stream
from aar_lab.types import Student, WeakLabels


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

    source: ProblemSource
    prepared: Prepared

    def factory(self, kind: Kind) -> Callable[[], Gpt]:
        """Makes the fresh model that a kind of reference starts from."""
        name = self.source.weak if kind is Kind.WEAK else self.source.strong
        problem = self.prepared.bundle.problem
        return student_factory(problem, name, self.source.base_weights(name))

    def weak(self, seed: int) -> Student:
        """A weak supervisor, fitted to the truth on its own share of `train_labeled`."""
        inputs = self.prepared.inputs(Part.TRAIN_LABELED)
        labels = self.prepared.vault.read(Part.TRAIN_LABELED)
        chosen = np.isin(labels.clusters, self._share(labels.clusters, seed))
        rows = np.flatnonzero(chosen)
        learner = self.factory(Kind.WEAK)()
        learner.fit(
            inputs.take(rows),
            labels.truth[rows].astype(np.float64),
            stream(seed, "weak fit"),
            plan=self.source.weak_plan,
        )
        return Student((learner.save(),))

    def _share(self, clusters: np.ndarray, seed: int) -> np.ndarray:  # type: ignore[type-arg]
        size = self.source.sizes.weak_problems
        chosen: np.ndarray = stream(seed, "weak share").permutation(clusters.max() + 1)[:size]  # type: ignore[type-arg]
        return chosen

    def ceiling(self, seed: int) -> Student:
        """The strong student fitted to the truth of `train_unlabeled`."""
        labels = self.prepared.vault.read(Part.TRAIN_UNLABELED)
        learner = self.factory(Kind.CEILING)()
        learner.fit(
            self.prepared.bundle.inputs(),
            labels.truth.astype(np.float64),
            stream(seed, "ceiling fit"),
            plan=Plan(),
        )
        return Student((learner.save(),))

    def baseline(self, kind: Kind, weak: WeakLabels) -> Student:
        """A registered method on one supervisor's labels."""
        task = self.task(weak)
        return run_method(get_method(kind.value).train, task, derive(weak.seed, "baseline"))

    def task(self, weak: WeakLabels) -> Task:
        """What a method is given for one supervisor."""
        bundle = self.prepared.bundle
        return make_task(bundle, self.source.strong, bundle.inputs(), weak)
