"""The bootstrap agrees with the delta interval, which knows nothing of it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_lab.metrics.drawn import draw, with_transfer
from tests.aar_lab.metrics.worlds import World

from aar_lab.errors import BadInput, UndefinedPGR
from aar_lab.metrics import Outcomes, bootstrap_interval, pgr_estimate

WORLDS = (
    World(seeds=16, problems=200, seed_sd=0.05),
    World(seeds=16, problems=60, seed_sd=0.02, noise_sd=0.2),
    World(seeds=16, problems=200, seed_sd=0.2),
)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_it_agrees_with_the_delta_interval(world: World, paired: bool) -> None:
    widths, shifts = [], []
    for found in world.draws(20, weak=0.6, ceiling=0.95, transfer=0.75):
        outcomes = Outcomes(**found, clusters=world.clusters, paired=paired)
        delta, other = pgr_estimate(outcomes).interval, bootstrap_interval(outcomes, 500)
        width = delta.high - delta.low
        widths.append((other.high - other.low) / width)
        shifts.append((other.high + other.low - delta.high - delta.low) / 2 / width)
    assert 0.85 <= np.median(widths) <= 1.15
    assert abs(np.median(shifts)) <= 0.05


def test_a_stream_is_repeatable_and_another_differs() -> None:
    outcomes, _ = draw(0)
    assert bootstrap_interval(outcomes) == bootstrap_interval(outcomes)
    assert bootstrap_interval(outcomes) != bootstrap_interval(outcomes, seed=1)


def test_seeds_of_weak_and_transfer_are_drawn_together_where_they_are_paired() -> None:
    outcomes, _ = draw(1)
    alike = bootstrap_interval(with_transfer(outcomes, outcomes.weak))
    assert (alike.low, alike.high) == (0, 0)
    apart = bootstrap_interval(with_transfer(outcomes, outcomes.weak, paired=False))
    assert apart.low < 0 < apart.high


def test_it_refuses_what_the_delta_interval_refuses_and_too_few_draws() -> None:
    with pytest.raises(UndefinedPGR):
        bootstrap_interval(draw(1, ceiling=0.31)[0])
    with pytest.raises(BadInput):
        bootstrap_interval(draw(1)[0], draws=99)
