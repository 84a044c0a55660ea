"""What to try next: openings, then variations of what is known to work.

Candidates are mutations and recombinations of parents chosen by the rank of their score, and random
designs along the direction. Of a pool of them the one with the best forecast is taken: what similar
designs scored, plus something for what is not known yet, minus what its cost is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aar_host.researchers.directions import Direction
from aar_host.researchers.grammar import COMPONENTS, Design, Value, distance
from aar_host.researchers.notebook import Known, Notebook
from aar_lab.types import FloatArray

POOL = 48
EXPLORE = 0.25
RECOMBINE = 0.4
FAVOUR = 0.6  # how often a value comes from those that the direction favours
PARENT_DECAY = 0.6
SPREAD = 0.25  # standard deviation of PGR over designs
NOISE = 0.08  # … and over seeds and test items
SHARPNESS = 3
OPTIMISM = 1.0
PRICE = 0.01  # PGR that one epoch over all rows must bring


@dataclass(frozen=True)
class Proposal:
    """A new design, the submissions that it builds on, and how it came about."""

    design: Design
    builds_on: tuple[str, ...]
    why: str


class Proposer:
    """Draws proposals along a direction; the same draws give the same proposals."""

    def __init__(self, direction: Direction, rng: np.random.Generator) -> None:
        self._direction, self._rng = direction, rng

    def propose(self, notebook: Notebook) -> Proposal | None:
        """A valid design that nobody is known to have tried; None if none is found."""
        for opening in self._direction.openings:
            if opening not in notebook.seen:
                return Proposal(opening, (), "opening")
        pool = [self._candidate(notebook.scored) for _ in range(POOL)]
        new = [one for one in pool if one.design.valid and one.design not in notebook.seen]
        if not new:
            return None
        return new[int(np.argmax(promise([one.design for one in new], notebook.scored)))]

    def _candidate(self, scored: Sequence[Known]) -> Proposal:
        if not scored or self._rng.random() < EXPLORE:
            return Proposal(self._random(), (), "exploration")
        ranked = sorted(scored, key=lambda known: (-known.pgr, known.submission))
        mother, father = self._parent(ranked), self._parent(ranked)
        if mother.design != father.design and self._rng.random() < RECOMBINE:
            child = self._mixed(mother.design, father.design)
            names = dict.fromkeys((mother.submission, father.submission))
            return Proposal(child, tuple(names), "recombination")
        return Proposal(self._mutant(mother.design), (mother.submission,), "mutation")

    def _parent(self, ranked: Sequence[Known]) -> Known:
        weights = PARENT_DECAY ** np.arange(len(ranked))
        return ranked[int(self._rng.choice(len(ranked), p=weights / weights.sum()))]

    def _random(self) -> Design:
        return Design(**{name: self._value(name) for name in COMPONENTS})  # type: ignore[arg-type]

    def _mutant(self, design: Design) -> Design:
        """One to three of the components that matter changed, or a dormant one woken by them."""
        names = list(design.as_dict())
        count = 1 + int(self._rng.integers(3))
        picked = self._rng.choice(len(names), size=count, replace=False)
        return design.changed(**{names[i]: self._value(names[i]) for i in picked})

    def _mixed(self, mother: Design, father: Design) -> Design:
        takes = self._rng.random(len(COMPONENTS)) < 0.5
        return mother.changed(
            **{n: getattr(father, n) for n, take in zip(COMPONENTS, takes, strict=True) if take}
        )

    def _value(self, name: str) -> Value:
        favoured = self._direction.favours.get(name)
        values = favoured if favoured and self._rng.random() < FAVOUR else COMPONENTS[name]
        return values[int(self._rng.integers(len(values)))]


def promise(designs: Sequence[Design], scored: Sequence[Known]) -> FloatArray:
    """An optimistic forecast of each design's PGR minus the worth of its cost, shape (designs,).

    A Gaussian process (Rasmussen and Williams 2006, algorithm 2.1; upper confidence bound of
    Srinivas et al. 2010, arXiv 0912.3995) whose covariance is SPREAD²·(1 − distance)^SHARPNESS.
    """
    price = PRICE * np.array([design.cost for design in designs])
    if not scored:
        return -price
    pgr = np.array([known.pgr for known in scored])
    known = [known.design for known in scored]
    noise = (NOISE / SPREAD) ** 2 * np.eye(len(known))
    across = _alike(designs, known)
    gain = np.linalg.solve(_alike(known, known) + noise, across.T)
    expected = pgr.mean() + (pgr - pgr.mean()) @ gain
    doubt = SPREAD * np.sqrt(np.maximum(1 - (across * gain.T).sum(axis=1), 0))
    forecast: FloatArray = expected + OPTIMISM * doubt - price
    return forecast


def _alike(some: Sequence[Design], others: Sequence[Design]) -> FloatArray:
    apart = np.array([[distance(one, other) for other in others] for one in some])
    return (1 - apart) ** SHARPNESS
