"""What a problem must offer the host: a public description, and labelled data without end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aar_host.vault import Labels
from aar_lab.learners.base import Plan
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Problem
from aar_lab.types import Inputs


@dataclass(frozen=True)
class Sizes:
    """Numbers of problems (prompts) in each part; every problem has `pairs` items.

    Each weak supervisor sees `weak_problems` of the `train_labeled` ones, and no two share any.
    """

    train_labeled: int
    weak_problems: int
    train_unlabeled: int
    test: int
    shifted: int
    pairs: int


@dataclass(frozen=True)
class Draw:
    """What to generate: which stream, how many problems, items of each, from unseen sources?"""

    seed: int
    purpose: str
    problems: int
    pairs: int
    shifted: bool = False


class ProblemSource(Protocol):
    """A problem as the host sees it.

    `weak` and `strong` name base models. The weak supervisor is fitted by `weak_plan` and reads in
    haste: of every alternative it misses each word with probability `weak_misses`, so that part of
    its errors is noise and not belief.
    """

    name: str
    sizes: Sizes
    weak: str
    strong: str
    weak_plan: Plan
    weak_misses: float
    pretraining: Mapping[str, Pretraining]
    pretraining_seed: int

    def public(self) -> Problem:
        """The public description."""
        ...

    def draw(self, what: Draw) -> tuple[Inputs, Labels]:
        """Fresh data: what may be shown, and what only the vault keeps."""
        ...

    def base_weights(self, student: str) -> Path | None:
        """Where pretrained weights of a base model are shipped; None if they are to be made."""
        ...

    def corpus(self, student: str, chunk: int) -> Sequence[Sequence[int]]:
        """Tokenised documents of one chunk of the pretraining corpus of a base model."""
        ...
