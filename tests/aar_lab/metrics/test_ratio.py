"""How two contrasts vary: noise counted once, and never a variance below that of the items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_lab.metrics.ratio import Spread, measure
from aar_lab.types import FloatArray

SEEDS = st.integers(0, 2**32 - 1)
BOTH = np.eye(2)
TOP = np.array([1.0, 0.0])


def crossed(rng: np.random.Generator, count: int, sds: tuple[float, float, float]) -> FloatArray:
    """A Gaussian world of 12 problems with two items each: seeds, problems, and their noise."""
    seed, problem, noise = sds
    cells = seed * rng.normal(size=(count, 1)) + problem * rng.normal(size=12)
    return np.repeat(cells + noise * rng.normal(size=(count, 12)), 2, axis=1)


def spread_of(rows: list[FloatArray]) -> Spread:
    return measure(rows, ((0, 1),), np.repeat(np.arange(12), 2), BOTH)


@pytest.mark.parametrize("count", [5, 10])
def test_the_variance_of_a_crossed_mean_is_estimated_without_bias(count: int) -> None:
    rng = np.random.default_rng(1)
    sds = (1.0, 0.5, 1.5)
    drawn = [spread_of([crossed(rng, count, sds), crossed(rng, count, sds)]) for _ in range(4000)]
    truth = sds[0] ** 2 / count + sds[1] ** 2 / 12 + sds[2] ** 2 / (12 * count)
    found = np.mean([spread.error(TOP) ** 2 for spread in drawn])
    twice = np.mean([spread.seeds[0, 0, 0] + spread.items[0, 0] for spread in drawn])
    assert found == pytest.approx(truth, rel=0.05)
    assert twice == pytest.approx(truth + sds[2] ** 2 / (12 * count), rel=0.05)


@given(SEEDS, st.integers(2, 8), st.floats(0, 2), st.floats(-3, 3))
def test_no_variance_is_below_that_of_items_or_above_the_sum_of_all(
    seed: int, count: int, noise: float, slope: float
) -> None:
    rng = np.random.default_rng(seed)
    spread = spread_of([crossed(rng, count, (0.3, 0.5, noise)) for _ in range(2)])
    contrast = np.array([1.0, slope])
    items = contrast @ spread.items @ contrast
    everything = contrast @ spread.seeds.sum(axis=0) @ contrast + items
    assert items <= spread.error(contrast) ** 2 * (1 + 1e-9)
    assert spread.error(contrast) ** 2 <= everything * (1 + 1e-9)
    fieller = contrast @ spread.covariance() @ contrast
    assert spread.error(contrast) ** 2 <= fieller * (1 + 1e-9) + 1e-12


@given(SEEDS, st.integers(2, 8), st.floats(0, 2))
def test_degrees_of_freedom_lie_between_those_of_the_least_part_and_their_sum(
    seed: int, count: int, noise: float
) -> None:
    rng = np.random.default_rng(seed)
    spread = spread_of([crossed(rng, count, (0.3, 0.5, noise)) for _ in range(2)])
    assert spread.freedom.min() <= spread.degrees(TOP) <= spread.freedom.sum() * (1 + 1e-9)


@pytest.mark.parametrize(("count", "separated"), [(4, False), (5, True)])
def test_noise_is_taken_out_only_with_enough_seeds_to_know_it(count: int, separated: bool) -> None:
    rng = np.random.default_rng(0)
    spread = spread_of([crossed(rng, count, (0.3, 0.5, 1)) for _ in range(2)])
    assert bool(spread.noise.any()) == separated
