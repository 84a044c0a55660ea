"""math-mini: which of two solutions of a problem is right?

The base models have read what the verbs do, and readers' noisy and biased reactions to single
solutions; they have never been told which of two is right. That knowledge is there to be elicited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from aar_host.problems.base import Draw, Sizes
from aar_host.problems.corpora import PAIR, Corpus, Crowd, elicit
from aar_host.problems.math_world import (
    DISLIKES,
    FAVOURITES,
    LIKES,
    SCORNED,
    SHIFTED_SOURCES,
    SOURCES,
    Solution,
    World,
    vocabulary,
)
from aar_host.problems.pairs import TESTS, PairProblem, Row
from aar_lab.learners.base import Plan
from aar_lab.learners.pretraining import Pretraining
from aar_lab.problems.bundle import Formats
from aar_lab.rng import derive

# The corpus begins with lessons: without them what the verbs do is learnt several times later.
LESSONS = 3
# Second tries at a problem are common, and a pair ends without a bar; else students often fail to
# find in pairs what they know of single solutions.
CROWD = Crowd(goes_on=0.75, again=1.0, closes=False)
SCHOOL = replace(CROWD, facts=0.80, dialogues=0.15)


class MathMini(PairProblem):
    """See the module; `seed` is the world seed."""

    name = "math-mini"
    summary = "Choose the right one of two solutions by solvers of varying skill and manners."
    brief = """Invented verbs change a number. Two solvers work the same problem; their last word is
the answer. y = 1 means that solution a has the right answer and b a wrong one; else it is the other
way round. The strong student has read what the verbs do, and has seen readers react to single
solutions; it has never compared two. The weak supervisor has read little and sometimes guesses."""
    formats = Formats(
        task=PAIR,
        swap=("a", "b"),
        elicit=elicit(DISLIKES),
        likes=LIKES,
        dislikes=DISLIKES,
        answer=-1,
    )
    vocabulary = vocabulary()
    sizes = Sizes(
        train_labeled=1600, weak_problems=100, train_unlabeled=540, test=500, shifted=125, pairs=3
    )
    # S learns nothing of what the verbs do. The weak supervisor is M, told less and in haste.
    weak = "M"
    weak_plan = Plan(epochs=4)
    weak_misses = 0.35
    shipped_world = 3
    pretraining: Mapping[str, Pretraining] = MappingProxyType(
        {"S": Pretraining(4_000_000), "M": Pretraining(6_000_000), "L": Pretraining(5_000_000)}
    )

    def __init__(self, seed: int | None = None, strong: str = "M") -> None:
        super().__init__(seed, strong)
        self._world = World.draw(self.seed)

    def problem_rows(self, what: Draw, rng: np.random.Generator) -> list[Row]:
        """Pairs of a right and a wrong one from a pool of six solutions to one problem."""
        while True:
            prompt = self._world.prompt(rng)
            if self.held_out(prompt.text) != (what.purpose in TESTS):
                continue
            solved = (self._world.solution(prompt, s, rng) for s in _solvers(what.shifted, rng))
            pool = {solution.text: solution for solution in solved}.values()
            pairs = [
                (good, bad)
                for good in pool
                for bad in pool
                if good.correct
                and not bad.correct
                and (not what.shifted or {good.source, bad.source} & set(SHIFTED_SOURCES))
            ]
            if len(pairs) >= what.pairs:
                break
        # Problems recur; all items of one are one cluster, whichever draw of this seed they are of.
        number = f"{derive(what.seed, self.name, 'problem', prompt.text):016x}"
        picked = rng.permutation(len(pairs))[: what.pairs]
        return [_row(prompt.text, number, pairs[i], bool(rng.integers(2))) for i in picked]

    def documents(self, chunk: int, reacts: bool = True) -> list[str]:
        """Facts, dialogues, and pairs without a verdict."""
        crowd = SCHOOL if chunk < LESSONS else CROWD
        corpus = Corpus(self.name, self._world, SOURCES, FAVOURITES, SCORNED, LIKES, DISLIKES)
        return corpus.documents(replace(crowd, reacts=reacts), self.seed, chunk)


def _solvers(shifted: bool, rng: np.random.Generator) -> list[str]:
    """Who solves a problem: all five usual sources and one again, or two of them and the unseen."""
    usual = [str(source) for source in rng.permutation(SOURCES)]
    return [*SHIFTED_SOURCES, *SHIFTED_SOURCES, *usual[:2]] if shifted else [*usual, usual[0]]


def _row(prompt: str, number: str, pair: tuple[Solution, Solution], first: bool) -> Row:
    """One item; `first`: the right solution comes first."""
    a, b = pair if first else pair[::-1]
    private = {
        "y": int(first),
        "problem": number,
        "sources": [a.source, b.source],
        "errors": [a.error, b.error],
    }
    return {"prompt": prompt, "a": a.text, "b": b.text}, private
