"""What chat-, math- and code-mini share: items are pairs of alternatives, one of them better.

Three students share one pretraining corpus. S is the smallest, and the weak supervisor's base model
unless a problem says otherwise; M is the strong student; L is larger than what methods are
developed on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from aar_host.problems.base import Draw, Sizes
from aar_host.vault import Labels
from aar_lab.learners.base import Plan
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Formats, Problem
from aar_lab.problems.tokens import Tokeniser
from aar_lab.rng import derive, stream
from aar_lab.types import Inputs

SHAPES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "S": {"width": 32, "layers": 2, "heads": 2, "context": 64},
        "M": {"width": 64, "layers": 3, "heads": 4, "context": 64},
        "L": {"width": 96, "layers": 4, "heads": 6, "context": 64},
    }
)

TESTS = ("test", "shifted")
HELD_OUT = 4

Row = tuple[dict[str, str], dict[str, Any]]


class PairProblem(ABC):
    """A `ProblemSource` whose items are pairs.

    Args:
        seed: the world seed; another world has other facts, tastes and base models. None: the
            world of which base models are shipped.
        strong: the strong student, "M" or "L", or "S" to learn from its own kind.
    """

    name: str
    summary: str
    brief: str
    formats: Formats
    vocabulary: tuple[str, ...]
    sizes: Sizes = Sizes(
        train_labeled=3200, weak_problems=200, train_unlabeled=520, test=500, shifted=125, pairs=3
    )
    shipped_world: int = 1
    weak: str = "S"
    weak_plan: Plan = Plan(epochs=4)
    weak_misses: float = 0.2
    pretraining: Mapping[str, Pretraining] = MappingProxyType(
        {"S": Pretraining(4_000_000), "M": Pretraining(10_000_000), "L": Pretraining(10_000_000)}
    )
    pretraining_seed: int = 0

    def __init__(self, seed: int | None = None, strong: str = "M") -> None:
        self.seed = self.shipped_world if seed is None else seed
        self.strong = strong

    @abstractmethod
    def problem_rows(self, what: Draw, rng: np.random.Generator) -> list[Row]:
        """`what.pairs` items of one problem: public fields, and private facts with "y" in 0, 1
        and "problem", the name of the items' cluster."""

    @abstractmethod
    def documents(self, chunk: int, reacts: bool = True) -> list[str]:
        """Documents of one chunk of the pretraining corpus, as text; see `Crowd.reacts`."""

    def held_out(self, *prompt: str) -> bool:
        """Whether tests alone ask this; for problems whose prompts are so few that they recur."""
        return derive(self.seed, self.name, "held out", *prompt) % HELD_OUT == 0

    def public(self) -> Problem:
        """The public description."""
        words = self.vocabulary
        return Problem(
            name=self.name,
            version=f"2-world{self.seed}",
            summary=self.summary,
            brief=self.brief,
            formats=self.formats,
            vocabulary=words,
            students={n: {"vocabulary": len(words), **shape} for n, shape in SHAPES.items()},
        )

    def draw(self, what: Draw) -> tuple[Inputs, Labels]:
        """Fresh items; ids are random words of the draw's own stream."""
        rng = stream(what.seed, self.name, self.seed, what.purpose)
        # Ids are public: of the stream that drew the labels they would tell the state.
        naming = stream(what.seed, self.name, self.seed, what.purpose, "ids")
        rows = [row for _ in range(what.problems) for row in self.problem_rows(what, rng)]
        ids = tuple(f"{naming.integers(2**63):016x}" for _ in rows)
        inputs = Inputs(ids, tuple(row[0] for row in rows))
        labels = Labels(
            ids=ids,
            truth=np.array([row[1]["y"] for row in rows], dtype=np.int8),
            problems=tuple(str(row[1]["problem"]) for row in rows),
            shifted=np.full(len(rows), what.shifted),
            metadata=tuple(row[1] for row in rows),
        )
        return inputs, labels

    def base_weights(self, student: str) -> Path | None:
        """Shipped weights of a base model; None for a world of which none are shipped."""
        home = Path(__file__).parent / "weights" / self.name
        return home / f"{student}.safetensors" if self.seed == self.shipped_world else None

    def corpus(self, student: str, chunk: int) -> Sequence[Sequence[int]]:
        """Documents of one chunk, in tokens; every student reads the same."""
        tokens = Tokeniser(self.vocabulary)
        return [tokens.encode(text) for text in self.documents(chunk)]
