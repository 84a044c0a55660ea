"""How often the intervals cover the truth, in simulated worlds where it is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.aar_lab.metrics.worlds import World, covers

from aar_lab.errors import UndefinedPGR
from aar_lab.metrics import Outcomes, compare, pgr, pgr_estimate, pgr_from_accuracies

WEAK, TRANSFER, RIVAL = 0.62, 0.74, 0.66
# Sharp items repeat for every seed; blurred ones are mostly the noise of one seed on one item.
SHARP = {"problem_sd": 0.5, "item_sd": 0.6, "noise_sd": 0.2}
BLURRED = {"problem_sd": 0.2, "item_sd": 0.3, "noise_sd": 1.0}


def coverage(world: World, ceiling: float, runs: int = 1000) -> tuple[float, float, float]:
    """Of PGR, of the gain, and the share of delta intervals, where PGR was not refused."""
    hits, gains, deltas, given = 0, 0, 0, 0
    accuracy = {"weak": WEAK, "ceiling": ceiling, "transfer": TRANSFER, "rival": RIVAL}
    for outcomes, rival in world.outcomes(runs, **accuracy):
        try:
            estimate = pgr_estimate(outcomes)
            gain = compare(outcomes, rival).gain
        except UndefinedPGR:
            continue
        given += 1
        hits += covers(estimate.interval, pgr(TRANSFER, WEAK, ceiling))
        gains += covers(gain.interval, (TRANSFER - RIVAL) / (ceiling - WEAK))
        deltas += estimate.method == "delta"
    assert given >= 0.9 * runs
    return hits / given, gains / given, deltas / given


@pytest.mark.parametrize(
    ("world", "ceiling"),
    [
        (World(seeds=5, problems=20, seed_sd=0.02, **SHARP), 0.95),
        (World(seeds=5, problems=20, seed_sd=0.2, **BLURRED), 0.95),
        (World(seeds=5, problems=150, seed_sd=0.02, **SHARP), 0.95),
        (World(seeds=5, problems=150, seed_sd=0.2, **SHARP), 0.85),
        (World(seeds=5, problems=150, seed_sd=0.2, **BLURRED), 0.95),
        (World(seeds=10, problems=20, seed_sd=0.02, **BLURRED), 0.95),
        (World(seeds=10, problems=150, seed_sd=0.02, **SHARP), 0.95),
        (World(seeds=10, problems=150, seed_sd=0.2, **BLURRED), 0.95),
        (World(), 0.85),
        (World(), 0.95),
    ],
    ids=str,
)
def test_nominal_95_percent_covers_93_to_97(world: World, ceiling: float) -> None:
    hits, gains, _ = coverage(world, ceiling)
    assert 0.93 <= hits <= 0.97
    assert 0.93 <= gains <= 0.97


def test_the_simulations_reach_both_kinds_of_interval() -> None:
    assert coverage(World(), 0.85, runs=200)[2] < 0.5 < coverage(World(), 0.95, runs=200)[2]


@pytest.mark.parametrize(("seeds", "least", "most"), [(3, 0.97, 1), (5, 0.95, 0.985)])
def test_where_noise_is_all_there_is_intervals_err_on_the_long_side(
    seeds: int, least: float, most: float
) -> None:
    hits, gains, _ = coverage(World(seeds=seeds, problems=150, seed_sd=0.02, **BLURRED), 0.95)
    assert least <= hits <= most
    assert least <= gains <= most


def test_the_spread_over_seeds_alone_covers_far_too_little() -> None:
    hits, runs = 0, 500
    for world in World().draws(runs, weak=WEAK, ceiling=0.95, transfer=TRANSFER):
        gap = world["ceiling"].mean() - world["weak"].mean()
        per_seed = (world["transfer"].mean(axis=1) - world["weak"].mean()) / gap
        error = per_seed.std(ddof=1) / math.sqrt(5)
        hits += abs(per_seed.mean() - pgr(TRANSFER, WEAK, 0.95)) <= 1.96 * error
    assert hits / runs <= 0.8


def test_a_narrow_gap_is_covered_too_where_it_is_not_refused() -> None:
    hits, given, open_ended, runs = 0, 0, 0, 1000
    for world in World().draws(runs, weak=0.62, ceiling=0.70, transfer=0.66):
        try:
            estimate = pgr_estimate(Outcomes(**world, clusters=World().clusters))
        except UndefinedPGR:
            continue
        given += 1
        assert covers(estimate.interval, estimate.mean)
        hits += covers(estimate.interval, 0.5)
        open_ended += math.isinf(estimate.interval.high - estimate.interval.low)
    assert 0.93 <= hits / given <= 0.98
    assert given < runs
    assert open_ended > 0


def test_the_p_value_rejects_a_true_null_one_time_in_twenty() -> None:
    accuracy = {"weak": WEAK, "ceiling": 0.9, "transfer": TRANSFER, "rival": TRANSFER}
    p_values = np.array([compare(*found).p_value for found in World().outcomes(1000, **accuracy)])
    assert 0.03 <= (p_values < 0.05).mean() <= 0.07
    assert 0.45 <= (p_values < 0.5).mean() <= 0.55


@pytest.mark.parametrize("seed_sd", [0.02, 0.1])
def test_without_the_items_the_interval_is_longer_and_covers_at_least_as_well(
    seed_sd: float,
) -> None:
    world, hits, longer, runs = World(seed_sd=seed_sd, **SHARP), 0, [], 500
    for found in world.draws(runs, weak=WEAK, ceiling=0.9, transfer=TRANSFER):
        full = pgr_estimate(Outcomes(**found, clusters=world.clusters)).interval
        means = {name: rows.mean(axis=1) for name, rows in found.items()}
        rough = pgr_from_accuracies(**means, n_items=world.problems).interval
        hits += covers(rough, pgr(TRANSFER, WEAK, 0.9))
        longer.append((rough.high - rough.low) / (full.high - full.low))
    assert hits / runs >= 0.94
    assert np.median(longer) > 1
