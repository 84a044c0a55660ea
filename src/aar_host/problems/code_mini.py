"""code-mini: which of two programs does what the specification says?

The base models have read what the verbs mean, and users' noisy and biased reactions to single
programs; they have never been told which of two is right. That knowledge is there to be elicited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from aar_host.problems.base import Draw, Sizes
from aar_host.problems.code_world import (
    DISLIKES,
    FAVOURITES,
    LIKES,
    SCORNED,
    SHIFTED_SOURCES,
    SOURCES,
    Program,
    World,
    vocabulary,
)
from aar_host.problems.corpora import PAIR, Corpus, Crowd, elicit
from aar_host.problems.pairs import TESTS, PairProblem, Row
from aar_lab.learners.base import Plan
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Formats
from aar_lab.rng import derive

# With one favourite and milder tastes the elicited prior comes close to the ceiling.
CROWD = Crowd(fancy=0.7, spite=0.6, closes=False)


class CodeMini(PairProblem):
    """See the module; `seed` is the world seed."""

    name = "code-mini"
    summary = "Choose the program that does what invented verbs say, of two by fallible authors."
    brief = """A specification names two or three verbs, each of which stands for an operation on a
number. Two authors write a program. y = 1 means that program a is right and program b is wrong:
right is what gives the specified result for every integer from -8 to 8. The strong student has
read what the verbs mean, and has seen users react to single programs; it has never compared two.
The weak supervisor has read little and sometimes guesses."""
    formats = Formats(
        task=PAIR, swap=("a", "b"), elicit=elicit(DISLIKES), likes=LIKES, dislikes=DISLIKES
    )
    vocabulary = vocabulary()
    sizes = Sizes(
        train_labeled=7200, weak_problems=600, train_unlabeled=1260, test=1500, shifted=375, pairs=1
    )
    # With S naive's PGR varied twice as much. The weak supervisor is M, told less and in haste.
    weak = "M"
    weak_plan = Plan(epochs=4)
    weak_misses = 0.4
    shipped_world = 2
    pretraining: Mapping[str, Pretraining] = MappingProxyType(
        {"S": Pretraining(3_000_000), "M": Pretraining(8_000_000), "L": Pretraining(6_000_000)}
    )

    def __init__(self, seed: int | None = None, strong: str = "M") -> None:
        super().__init__(seed, strong)
        self._world = World.draw(self.seed)

    def problem_rows(self, what: Draw, rng: np.random.Generator) -> list[Row]:
        """Pairs of a right and a wrong program, from as many pools of programs as it takes."""
        prompt = self._world.prompt(rng)
        while self.held_out(*prompt.verbs) != (what.purpose in TESTS):
            prompt = self._world.prompt(rng)
        # Specifications recur; all items of one are one problem, whatever example stands in them.
        number = f"{derive(what.seed, self.name, 'problem', *prompt.verbs):016x}"
        authors = SHIFTED_SOURCES * 2 + SOURCES[1:3] if what.shifted else SOURCES
        rows: list[Row] = []
        while len(rows) < what.pairs:
            pool = [self._world.program(prompt, author, rng) for author in authors]
            chosen = _contests(pool, what.shifted)
            for at in rng.permutation(len(chosen))[: what.pairs - len(rows)]:
                a, b = (chosen[at][side] for side in rng.permutation(2))
                private = {
                    "y": int(a.right),
                    "problem": number,
                    "verbs": len(prompt.verbs),
                    "example": prompt.example is not None,
                    "sources": [a.source, b.source],
                }
                rows.append(({"prompt": prompt.text, "a": a.text, "b": b.text}, private))
        return rows

    def documents(self, chunk: int, reacts: bool = True) -> list[str]:
        """Facts, dialogues, and pairs without a verdict."""
        corpus = Corpus(self.name, self._world, SOURCES, FAVOURITES, SCORNED, LIKES, DISLIKES)
        return corpus.documents(replace(CROWD, reacts=reacts), self.seed, chunk)


def _contests(pool: Sequence[Program], shifted: bool) -> list[tuple[Program, Program]]:
    """Every right program against every wrong one of another source."""
    return [
        (one, two)
        for one in pool
        for two in pool
        if one.right and not two.right and one.source != two.source
        if not shifted or {one.source, two.source} & set(SHIFTED_SOURCES)
    ]
