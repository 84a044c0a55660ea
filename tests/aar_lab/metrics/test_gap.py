"""PGR: its laws, the formula of its interval, refusals, accuracies alone, its bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit
from tests.aar_lab.metrics.drawn import draw, estimates, same, width, with_transfer

from aar_lab.errors import BadInput, BadProbabilities, TooFewSeeds, UndefinedPGR
from aar_lab.metrics import (
    Outcomes,
    disagreement_bound,
    paired_gain,
    pgr,
    pgr_estimate,
    pgr_from_accuracies,
    reference,
)
from aar_lab.types import FloatArray, Interval

SEEDS = st.integers(0, 2**32 - 1)


def test_reference_is_mean_and_standard_error() -> None:
    found = reference([0.5, 0.6, 0.7])
    assert (found.n, found.mean, found.se) == pytest.approx((3, 0.6, 0.1 / math.sqrt(3)))


def test_reference_refuses_one_seed_and_nan() -> None:
    with pytest.raises(TooFewSeeds):
        reference([0.5])
    with pytest.raises(BadProbabilities):
        reference([0.5, math.nan])


@given(st.floats(0, 1), st.floats(0, 0.5), st.floats(0.01, 0.5))
def test_pgr_is_0_for_weak_1_for_ceiling_and_affine_invariant(
    transfer: float, weak: float, gap: float
) -> None:
    ceiling = weak + gap
    assert pgr(weak, weak, ceiling) == 0
    assert pgr(ceiling, weak, ceiling) == 1
    moved = pgr(3 * transfer - 1, 3 * weak - 1, 3 * ceiling - 1)
    assert moved == pytest.approx(pgr(transfer, weak, ceiling), abs=1e-9)


def test_pgr_refuses_a_ceiling_at_weak_and_says_so() -> None:
    with pytest.raises(UndefinedPGR, match=r"ceiling 0\.7100, weak 0\.7200: .* Train"):
        pgr(0.8, 0.72, 0.71)
    with pytest.raises(UndefinedPGR):
        pgr(0.8, 0.7, 0.7)
    with pytest.raises(BadInput):
        pgr(math.nan, 0.5, 0.7)


@given(SEEDS, st.floats(0, 1))
def test_the_interval_contains_the_estimate(seed: int, transfer: float) -> None:
    for estimate in estimates(*draw(seed, transfer=transfer)):
        assert estimate.interval.low <= estimate.mean <= estimate.interval.high


@given(SEEDS)
def test_only_the_grouping_of_items_and_seeds_counts(seed: int) -> None:
    outcomes, rival = draw(seed)
    rng = np.random.default_rng(seed + 1)
    items, seeds = rng.permutation(60), rng.permutation(6)
    shuffled = Outcomes(
        weak=outcomes.weak[seeds][:, items],
        ceiling=outcomes.ceiling[rng.permutation(6)][:, items],
        transfer=outcomes.transfer[seeds][:, items],
        clusters=1000 - 7 * outcomes.clusters[items],
    )
    before, after = estimates(outcomes, rival), estimates(shuffled, rival[seeds][:, items])
    assert same(before[0], after[0])
    assert same(before[1], after[1])


@given(SEEDS)
def test_repeating_items_within_their_problem_adds_no_evidence(seed: int) -> None:
    outcomes, rival = draw(seed)
    doubled = Outcomes(
        *(np.repeat(rows, 2, axis=1) for rows in (outcomes.weak, outcomes.ceiling)),
        transfer=np.repeat(outcomes.transfer, 2, axis=1),
        clusters=np.repeat(outcomes.clusters, 2),
    )
    before, after = estimates(outcomes, rival), estimates(doubled, np.repeat(rival, 2, axis=1))
    assert same(before[0], after[0])
    assert same(before[1], after[1])


def test_repeating_items_as_new_problems_does_add_evidence() -> None:
    outcomes, _ = draw(5)
    doubled = Outcomes(
        *(np.tile(rows, 2) for rows in (outcomes.weak, outcomes.ceiling, outcomes.transfer)),
        clusters=np.concatenate([outcomes.clusters, outcomes.clusters + 20]),
    )
    assert width(pgr_estimate(doubled)) < width(pgr_estimate(outcomes))


@given(SEEDS)
def test_pgr_is_exactly_0_at_weak_and_1_at_the_ceiling(seed: int) -> None:
    outcomes, _ = draw(seed)
    at_weak = pgr_estimate(with_transfer(outcomes, outcomes.weak))
    assert (at_weak.mean, at_weak.interval) == (0, Interval(0, 0))
    assert pgr_estimate(with_transfer(outcomes, outcomes.ceiling)).mean == pytest.approx(1)
    assert paired_gain(outcomes, outcomes.transfer).interval == Interval(0, 0)


@given(SEEDS)
def test_the_gain_is_the_difference_of_the_two_pgrs(seed: int) -> None:
    outcomes, rival = draw(seed)
    difference = pgr_estimate(outcomes).mean - pgr_estimate(with_transfer(outcomes, rival)).mean
    assert paired_gain(outcomes, rival).mean == pytest.approx(difference)


def test_pairing_on_weak_seeds_uses_their_covariance() -> None:
    outcomes, _ = draw(3)
    rng = np.random.default_rng(0)
    skill = np.linspace(0.1, 0.5, 8)[:, None]
    weak = (rng.random((8, 60)) < skill).astype(float)
    helped = np.maximum(weak, (rng.random((8, 60)) < 0.4).astype(float))
    good = np.ones((2, 60)) * (np.arange(60) % 10 > 0)
    paired = Outcomes(weak, good, helped, outcomes.clusters)
    assert width(pgr_estimate(paired)) < width(
        pgr_estimate(Outcomes(weak, good, helped, outcomes.clusters, paired=False))
    )


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("count", [4, 6])
def test_the_delta_interval_is_the_formula(paired: bool, count: int) -> None:
    rng = np.random.default_rng(7)
    skill = np.linspace(-0.03, 0.03, count)[:, None]
    weak, ceiling, transfer = (
        (rng.random((count, 3000)) < share + skill).astype(float) for share in (0.3, 0.9, 0.6)
    )
    found = pgr_estimate(Outcomes(weak, ceiling, transfer, np.arange(3000) // 250, paired))
    gap = ceiling.mean() - weak.mean()
    p = (transfer.mean() - weak.mean()) / gap
    parts = [transfer, -(1 - p) * weak, -p * ceiling]
    blocks = [parts[0] + parts[1], parts[2]] if paired else parts
    once, twice = zip(*map(seed_variances, blocks), strict=True)
    kept = twice if count == 4 else once
    items = sum(parts).mean(axis=0).reshape(12, 250).mean(axis=1).var(ddof=1) / 12
    variance = sum(kept) + items
    weights = [min(v * v, 2 * v * k) for v, k in zip(twice, kept, strict=True)]
    freedom = variance**2 / (sum(weights) / (count - 1) + items**2 / 11)
    margin = stdtrit(freedom, 0.975) * math.sqrt(variance) / gap
    assert found.method == "delta"
    assert width(found) / 2 == pytest.approx(margin)


def seed_variances(block: FloatArray) -> tuple[float, float]:
    """Variance of the mean by seeds: with the residual of a two-way analysis taken out, and not."""
    cells = block.reshape(len(block), 12, 250).mean(axis=2)
    seeds, problems = cells.mean(axis=1), cells.mean(axis=0)
    residual = cells - seeds[:, None] - problems + cells.mean()
    noise = (residual**2).sum() / (len(block) - 1) / 11 / cells.size
    crude = seeds.var(ddof=1) / len(block)
    return max(0, crude - noise), crude


@given(SEEDS, st.floats(0.3, 0.6))
def test_whether_pgr_is_refused_depends_on_the_anchors_alone(seed: int, ceiling: float) -> None:
    outcomes, _ = draw(seed, ceiling=ceiling)
    answers = set()
    for transfer in (outcomes.transfer, outcomes.weak, np.zeros((6, 60)), np.ones((6, 60))):
        try:
            pgr_estimate(with_transfer(outcomes, transfer))
            answers.add("an estimate")
        except UndefinedPGR as error:
            answers.add(str(error))
    assert len(answers) == 1


@settings(max_examples=300)
@given(SEEDS, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_no_nan_leaves(
    seed: int, weak: float, ceiling: float, transfer: float, paired: bool
) -> None:
    outcomes, _ = draw(seed, weak=weak, ceiling=ceiling, transfer=transfer)
    try:
        found = pgr_estimate(with_transfer(outcomes, outcomes.transfer, paired))
    except UndefinedPGR:
        assume(False)
    assert math.isfinite(found.mean)
    assert found.interval.low <= found.mean <= found.interval.high


def test_the_refusal_says_value_fault_and_remedy() -> None:
    outcomes, _ = draw(1, ceiling=0.31)
    with pytest.raises(UndefinedPGR) as caught:
        pgr_estimate(outcomes)
    assert "ceiling" in caught.value.value
    assert "not measurably above zero" in caught.value.fault
    assert "seeds" in caught.value.remedy


# --- the bound by disagreement ----------------------------------------------------------------


@given(SEEDS, st.floats(0, 1))
def test_pgr_is_at_most_disagreement_over_gap(seed: int, transfer: float) -> None:
    outcomes, _ = draw(seed, transfer=transfer)
    bound = disagreement_bound(outcomes)
    assert pgr_estimate(outcomes).mean <= bound + 1e-12
    better = with_transfer(outcomes, np.maximum(outcomes.weak, outcomes.transfer))
    assert pgr_estimate(better).mean == pytest.approx(disagreement_bound(better))


def test_a_student_who_copies_its_supervisor_recovers_nothing() -> None:
    outcomes, _ = draw(4)
    assert disagreement_bound(with_transfer(outcomes, outcomes.weak)) == 0


def test_the_bound_needs_supervisors_and_a_gap() -> None:
    outcomes, _ = draw(4)
    with pytest.raises(BadInput):
        disagreement_bound(with_transfer(outcomes, outcomes.transfer, paired=False))
    with pytest.raises(UndefinedPGR):
        disagreement_bound(draw(4, ceiling=0.1)[0])


# --- accuracies alone -------------------------------------------------------------------------

ACCURACIES = st.lists(st.floats(0, 1), min_size=2, max_size=6)


@given(ACCURACIES, ACCURACIES, ACCURACIES, st.integers(2, 10**12))
def test_from_accuracies_pgr_is_that_of_the_means_or_is_refused(
    weak: list[float], ceiling: list[float], transfer: list[float], n_items: int
) -> None:
    try:
        found = pgr_from_accuracies(weak, ceiling, transfer, n_items)
    except UndefinedPGR:
        return
    means = (float(np.mean(values)) for values in (transfer, weak, ceiling))
    assert found.mean == pytest.approx(pgr(*means), abs=1e-12)
    assert found.interval.low <= found.mean <= found.interval.high


def test_from_accuracies_the_variance_is_that_of_seeds_and_three_binomials() -> None:
    weak, ceiling, transfer, n = [0.58, 0.6, 0.62], [0.9, 0.9], [0.7, 0.76, 0.76], 4000
    found = pgr_from_accuracies(weak, ceiling, transfer, n)
    p = found.mean
    seeds = [np.var(transfer, ddof=1) / 3, (1 - p) ** 2 * np.var(weak, ddof=1) / 3]
    items = (0.74 * 0.26 + (1 - p) ** 2 * 0.6 * 0.4 + p**2 * 0.9 * 0.1) / n
    variance = sum(seeds) + items
    freedom = variance**2 / (sum(v**2 for v in seeds) / 2 + items**2 / (n - 1))
    margin = stdtrit(freedom, 0.975) * math.sqrt(variance) / 0.3
    assert found.method == "delta"
    assert width(found) / 2 == pytest.approx(margin, rel=5e-3)


def test_from_accuracies_more_items_shorten_the_interval() -> None:
    given_all = ([0.6, 0.62] * 3, [0.9, 0.92] * 3, [0.7, 0.74] * 3)
    widths = [width(pgr_from_accuracies(*given_all, n)) for n in (300, 3000, 30000)]
    assert widths == sorted(widths, reverse=True)


def test_perfect_accuracies_are_not_free_of_error() -> None:
    assert width(pgr_from_accuracies([0.5, 0.5], [1, 1], [1, 1], 100)) > 0.05


GOOD = {"weak": [0.6, 0.62], "ceiling": [0.9, 0.88], "transfer": [0.7, 0.72], "n_items": 500}


@pytest.mark.parametrize(
    ("change", "kind", "value"),
    [
        ({"weak": [0.6, math.nan]}, BadProbabilities, "nan among weak"),
        ({"ceiling": [0.9, 1.01]}, BadProbabilities, "1.01 among ceiling"),
        ({"transfer": [[0.7, 0.7]]}, BadProbabilities, "transfer"),
        ({"transfer": [10**400, 0.5]}, BadProbabilities, "transfer"),
        ({"transfer": [0.7]}, TooFewSeeds, "1 seed of transfer"),
        ({"transfer": []}, TooFewSeeds, "0 seed of transfer"),
        ({"ceiling": [0.6, 0.6]}, UndefinedPGR, "ceiling 0.6000"),
        ({"ceiling": [0.62, 0.64]}, UndefinedPGR, "ceiling 0.6300"),
        ({"n_items": 1}, BadInput, "1"),
        ({"n_items": 500.0}, BadInput, "500.0"),
        ({"n_items": True}, BadInput, "True"),
        ({"n_items": 10**400}, BadInput, "1000"),
    ],
)
def test_from_accuracies_refusals_are_typed_and_name_the_value(
    change: dict[str, object], kind: type[Exception], value: str
) -> None:
    with pytest.raises(kind, match=value):
        pgr_from_accuracies(**(GOOD | change))
