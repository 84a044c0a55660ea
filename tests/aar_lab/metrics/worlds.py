"""Simulated worlds in which the true accuracies are known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from aar_lab.metrics import Outcomes
from aar_lab.types import FloatArray, Interval

EACH = 2


@dataclass(frozen=True)
class World:
    """Random-effects model: Gaussian seed, problem and item effects and noise above a threshold.

    The expected accuracy is exactly the one asked for. Problem and item effects of two models
    correlate by .7, seed effects and noise of a student and its supervisor by .5.
    """

    seeds: int = 5
    problems: int = 150
    seed_sd: float = 0.07
    problem_sd: float = 0.5
    item_sd: float = 0.6
    noise_sd: float = 0.4

    @property
    def clusters(self) -> np.ndarray:
        return np.repeat(np.arange(self.problems), EACH)

    def draws(self, runs: int, seed: int = 1, **accuracy: float) -> Iterator[dict[str, FloatArray]]:
        rng = np.random.default_rng(seed)
        shape = (self.seeds, self.problems * EACH)
        total = math.hypot(self.seed_sd, self.problem_sd, self.item_sd, self.noise_sd)
        for _ in range(runs):
            shared, world = self._items(rng), {}
            skill, luck = rng.normal(size=(self.seeds, 1)), rng.normal(size=shape)
            for name, share in accuracy.items():
                seed_effect, noise = rng.normal(size=(self.seeds, 1)), rng.normal(size=shape)
                if name != "ceiling":
                    seed_effect = math.sqrt(0.5) * (seed_effect + skill)
                    noise = math.sqrt(0.5) * (noise + luck)
                effects = math.sqrt(0.7) * shared + math.sqrt(0.3) * self._items(rng)
                level = NormalDist().inv_cdf(share) * total
                latent = level + self.seed_sd * seed_effect + effects + self.noise_sd * noise
                world[name] = (latent > 0).astype(np.float64)
            yield world

    def outcomes(
        self, runs: int, seed: int = 1, **accuracy: float
    ) -> Iterator[tuple[Outcomes, FloatArray]]:
        """Outcomes of a method and the rows of its rival."""
        for world in self.draws(runs, seed, **accuracy):
            rival = world.pop("rival")
            yield Outcomes(**world, clusters=self.clusters), rival

    def _items(self, rng: np.random.Generator) -> FloatArray:
        problem = np.repeat(rng.normal(size=self.problems), EACH)
        return self.problem_sd * problem + self.item_sd * rng.normal(size=self.problems * EACH)


def covers(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high
