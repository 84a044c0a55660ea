"""The tiny problem as the host sees it: labelled data without end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from tests import tiny

from aar_host.problems.base import Draw, Sizes
from aar_host.vault import Labels
from aar_lab.learners.base import Plan
from aar_lab.learners.gpt import write_weights
from aar_lab.learners.model import Architecture
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Problem
from aar_lab.problems.tokens import END, Tokeniser
from aar_lab.rng import derive
from aar_lab.types import Inputs


@dataclass(frozen=True)
class TinySource:
    """A `ProblemSource`; base weights are written below `directory` when they are first asked for.

    Not a generator to learn about weak supervision from: it serves speed alone.
    """

    directory: Path
    name: ClassVar[str] = "tiny"
    sizes: ClassVar[Sizes] = Sizes(
        train_labeled=72, weak_problems=6, train_unlabeled=12, test=12, shifted=6, pairs=3
    )
    weak: ClassVar[str] = "W"
    strong: ClassVar[str] = "S"
    weak_plan: ClassVar[Plan] = Plan(epochs=20, rate=0.03)
    weak_misses: ClassVar[float] = 0.2
    pretraining: ClassVar[Mapping[str, Pretraining]] = MappingProxyType(
        {"S": Pretraining(tokens=3000, batch=16)}
    )
    pretraining_seed: ClassVar[int] = 0

    def public(self) -> Problem:
        """The public description."""
        return tiny.PROBLEM

    def draw(self, what: Draw) -> tuple[Inputs, Labels]:
        """Problems of `pairs` examples each."""
        size = what.problems * what.pairs
        inputs, truth = tiny.examples(size, derive(what.seed, what.purpose))
        labels = Labels(
            ids=inputs.ids,
            truth=truth.astype(np.int8),
            problems=tuple(f"{what.purpose}-{i // what.pairs}" for i in range(size)),
            shifted=np.full(size, what.shifted),
            metadata=tuple({"number": i} for i in range(size)),
        )
        return inputs, labels

    def base_weights(self, student: str) -> Path:
        """Random weights."""
        path = self.directory / f"{student}.safetensors"
        if not path.exists():
            arch = Architecture(**tiny.PROBLEM.students[student])
            write_weights(path, tiny.random_weights(arch))
        return path

    def corpus(self, student: str, chunk: int) -> Sequence[Sequence[int]]:
        """Examples as documents."""
        tokens = Tokeniser(tiny.VOCABULARY)
        inputs, _ = tiny.examples(64, chunk)
        return [tokens.encode(f"{row['prompt']} | {row['a']} | {END}") for row in inputs.data]
