"""Problems whose items are single texts, and those whose data are a fixed collection.

A problem of one's own says what its rows and its pretraining documents are; the rest is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aar_host.problems.base import Draw, Sizes
from aar_host.vault import Labels
from aar_lab.errors import BadSettings
from aar_lab.learners.base import Plan
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Formats, Problem
from aar_lab.problems.objective import PGR, Objective
from aar_lab.problems.tokens import Tokeniser
from aar_lab.rng import stream
from aar_lab.types import Inputs

Row = tuple[dict[str, str], dict[str, Any]]


class SingleProblem(ABC):
    """A `ProblemSource` whose items are single texts; nothing is shipped, all is made at first use.

    Args:
        seed: the world seed: another one draws another world, or splits the data otherwise.
        strong: the strong student, one of `shapes`; the weak supervisor is of the shape `weak`.
    """

    name: str
    summary: str
    brief: str
    formats: Formats
    vocabulary: tuple[str, ...]
    sizes: Sizes
    shapes: Mapping[str, Mapping[str, int]]
    pretraining: Mapping[str, Pretraining]
    weak: str = "S"
    weak_plan: Plan = Plan(epochs=4)
    weak_misses: float = 0.0
    pretraining_seed: int = 0
    objective: Objective = PGR
    finite: bool = False

    def __init__(self, seed: int = 0, strong: str = "M") -> None:
        self.seed, self.strong = seed, strong

    @abstractmethod
    def rows(self, what: Draw, rng: np.random.Generator) -> list[Row]:
        """`what.problems * what.pairs` items: public fields, and private facts with "y" in 0, 1
        and "problem", the name of the item's cluster."""

    @abstractmethod
    def documents(self, chunk: int) -> list[str]:
        """Documents of one chunk of the pretraining corpus, as text; none may hold a label."""

    def public(self) -> Problem:
        """The public description."""
        size = len(self.vocabulary)
        return Problem(
            name=self.name,
            version=f"1-world{self.seed}",
            summary=self.summary,
            brief=self.brief,
            formats=self.formats,
            vocabulary=self.vocabulary,
            students={name: {"vocabulary": size, **self.shapes[name]} for name in self.shapes},
            objective=self.objective,
            finite=self.finite,
        )

    def draw(self, what: Draw) -> tuple[Inputs, Labels]:
        """Fresh items; ids are random words of the draw's own stream."""
        rng = stream(what.seed, self.name, self.seed, what.purpose)
        ids_rng = stream(what.seed, self.name, self.seed, what.purpose, "ids")
        rows = self.rows(what, rng)
        ids = tuple(f"{ids_rng.integers(2**63):016x}" for _ in rows)
        labels = Labels(
            ids=ids,
            truth=np.array([private["y"] for _, private in rows], dtype=np.int8),
            problems=tuple(str(private["problem"]) for _, private in rows),
            shifted=np.full(len(rows), what.shifted),
            metadata=tuple(private for _, private in rows),
        )
        return Inputs(ids, tuple(public for public, _ in rows)), labels

    def base_weights(self, student: str) -> Path | None:
        """None: base models are pretrained at first use and kept."""
        return None

    def corpus(self, student: str, chunk: int) -> Sequence[Sequence[int]]:
        """Documents of one chunk, in tokens; every student reads the same."""
        tokens = Tokeniser(self.vocabulary)
        return [tokens.encode(text) for text in self.documents(chunk)]


class FiniteProblem(SingleProblem):
    """A problem whose data are a fixed collection of `total` things, split once by the world seed.

    Every purpose has a part of its own, and every draw for it gives the same rows under other ids:
    all campaigns are tested on the same public and the same sealed items. So the sealed part of a
    second campaign is no longer unseen; what was learnt from the first must not choose methods in
    it. Another world seed splits the collection otherwise, and pretrains other base models.
    """

    finite = True
    total: int
    practice: int = 200

    def part(self, purpose: str) -> npt.NDArray[np.intp]:
        """The places in the collection that belong to a purpose, in 0…total−1.

        Raises:
            BadSettings: the collection has no part for it, or is too small for all parts.
        """
        sizes = self.sizes
        parts = {
            "test": sizes.test,
            "shifted": sizes.shifted,
            "train_labeled": sizes.train_labeled,
            "train_unlabeled": sizes.train_unlabeled,
            "practice": self.practice,
        }
        wanted = sum(parts.values())
        if purpose not in parts:
            raise BadSettings(
                purpose, f"{self.name} is finite and has no such part", f"Known: {list(parts)}."
            )
        if wanted > self.total:
            raise BadSettings(
                f"{wanted} wanted", f"{self.name} has {self.total} in all", "Reduce its sizes."
            )
        order = stream(self.seed, self.name, "parts").permutation(self.total)
        start = sum(list(parts.values())[: list(parts).index(purpose)])
        return order[start : start + parts[purpose]]

    def taken(self, what: Draw) -> npt.NDArray[np.intp]:
        """The places that a draw gets; `BadSettings` if it asks for more than its part holds."""
        part = self.part(what.purpose)
        if what.problems > len(part):
            raise BadSettings(
                f"{what.problems} for {what.purpose}",
                f"the part holds {len(part)} of the {self.total} of {self.name}",
                "Ask for less; real data run out.",
            )
        return part[: what.problems]

    def unseen(self) -> npt.NDArray[np.intp]:
        """The places that pretraining must not read: those of all test items."""
        return np.concatenate([self.part("test"), self.part("shifted")])
