"""Metrics: laws of PGR and its intervals, coverage by simulation, refusals."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aar_lab.errors import BadInput, BadProbabilities, TooFewSeeds, Undefined, UndefinedPGR
from aar_lab.metrics import Outcomes, correct, paired_gain, pgr, pgr_estimate, reference
from aar_lab.types import Estimate, FloatArray, Interval

SEEDS = st.integers(0, 2**32 - 1)


def draw(seed: int, **accuracy: float) -> tuple[Outcomes, FloatArray]:
    """Small outcomes with a wide gap, and the rows of a rival."""
    rng = np.random.default_rng(seed)
    accuracy = {"weak": 0.3, "ceiling": 0.9, "transfer": 0.6, "rival": 0.5} | accuracy
    rows = {
        name: (rng.random((4, 60)) < share).astype(np.float64) for name, share in accuracy.items()
    }
    rival = rows.pop("rival")
    return Outcomes(**rows, clusters=rng.permutation(np.repeat(np.arange(20), 3))), rival


def same(first: Estimate, second: Estimate) -> bool:
    pairs = zip(
        (first.mean, *first.interval.as_list()),
        (second.mean, *second.interval.as_list()),
        strict=True,
    )
    return all(math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-9) for a, b in pairs)


def estimates(outcomes: Outcomes, rival: FloatArray) -> tuple[Estimate, Estimate]:
    return pgr_estimate(outcomes), paired_gain(outcomes, rival)


# --- accuracy and PGR -------------------------------------------------------------------------


def test_a_probability_at_the_threshold_is_class_0() -> None:
    assert correct([0.5, 0.5, 0.6, 0.4], [0, 1, 1, 1]).tolist() == [1, 0, 1, 0]
    assert correct([0.5, 0.7], [1, 1], threshold=0.6).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("probs", "truth"), [([0.5, math.nan], [0, 1]), ([0.5, 2], [0, 1]), ([0.5], [0, 1])]
)
def test_correct_refuses_what_it_cannot_compare(probs: list[float], truth: list[int]) -> None:
    with pytest.raises(BadProbabilities):
        correct(probs, truth)


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


# --- laws of the intervals --------------------------------------------------------------------


@given(SEEDS, st.floats(0, 1))
def test_the_interval_contains_the_estimate(seed: int, transfer: float) -> None:
    for estimate in estimates(*draw(seed, transfer=transfer)):
        assert estimate.interval.low <= estimate.mean <= estimate.interval.high


@given(SEEDS)
def test_only_the_grouping_of_items_and_seeds_counts(seed: int) -> None:
    outcomes, rival = draw(seed)
    rng = np.random.default_rng(seed + 1)
    items, seeds = rng.permutation(60), rng.permutation(4)
    shuffled = Outcomes(
        weak=outcomes.weak[seeds][:, items],
        ceiling=outcomes.ceiling[rng.permutation(4)][:, items],
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


def width(estimate: Estimate) -> float:
    return estimate.interval.high - estimate.interval.low


@given(SEEDS)
def test_pgr_is_exactly_0_at_weak_and_1_at_the_ceiling(seed: int) -> None:
    outcomes, _ = draw(seed)
    at_weak = pgr_estimate(_with_transfer(outcomes, outcomes.weak))
    assert (at_weak.mean, at_weak.interval) == (0, Interval(0, 0))
    assert pgr_estimate(_with_transfer(outcomes, outcomes.ceiling)).mean == pytest.approx(1)
    assert paired_gain(outcomes, outcomes.transfer).interval == Interval(0, 0)


def _with_transfer(outcomes: Outcomes, transfer: FloatArray, paired: bool = True) -> Outcomes:
    return Outcomes(outcomes.weak, outcomes.ceiling, transfer, outcomes.clusters, paired)


@given(SEEDS, st.floats(0, 1))
def test_pgr_is_at_most_disagreement_over_gap(seed: int, transfer: float) -> None:
    outcomes, _ = draw(seed, transfer=transfer)
    disagreement = np.abs(outcomes.transfer - outcomes.weak).mean()
    gap = outcomes.ceiling.mean() - outcomes.weak.mean()
    assert pgr_estimate(outcomes).mean <= disagreement / gap + 1e-12


@given(SEEDS)
def test_the_gain_is_the_difference_of_the_two_pgrs(seed: int) -> None:
    outcomes, rival = draw(seed)
    difference = pgr_estimate(outcomes).mean - pgr_estimate(_with_transfer(outcomes, rival)).mean
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
def test_the_delta_interval_is_the_formula(paired: bool) -> None:
    rng = np.random.default_rng(7)
    shape = (6, 3000)
    weak, ceiling, transfer = (
        (rng.random(shape) < share).astype(float) for share in (0.3, 0.9, 0.6)
    )
    found = pgr_estimate(Outcomes(weak, ceiling, transfer, np.arange(3000) // 250, paired))
    gap = ceiling.mean() - weak.mean()
    p = (transfer.mean() - weak.mean()) / gap
    w, c, t = (rows.mean(axis=1) for rows in (weak, ceiling, transfer))
    seeds = [p**2 * c.var(ddof=1) / 6]
    if paired:
        seeds.append((t - (1 - p) * w).var(ddof=1) / 6)
    else:
        seeds += [t.var(ddof=1) / 6, (1 - p) ** 2 * w.var(ddof=1) / 6]
    influence = transfer.mean(axis=0) - (1 - p) * weak.mean(axis=0) - p * ceiling.mean(axis=0)
    items = influence.reshape(12, 250).mean(axis=1).var(ddof=1) / 12
    variance = sum(seeds) + items
    freedom = variance**2 / (sum(v**2 for v in seeds) / 5 + items**2 / 11)
    # Student's t by its second-order expansion, which is exact to 1e-3 at these degrees of freedom.
    z = NormalDist().inv_cdf(0.975)
    t_quantile = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / 96 / freedom**2
    assert found.method == "delta"
    assert width(found) / 2 == pytest.approx(t_quantile * math.sqrt(variance) / gap, rel=5e-3)


# --- refusals ---------------------------------------------------------------------------------


@given(SEEDS, st.floats(0.3, 0.6))
def test_whether_pgr_is_refused_depends_on_the_anchors_alone(seed: int, ceiling: float) -> None:
    outcomes, _ = draw(seed, ceiling=ceiling)
    answers = set()
    for transfer in (outcomes.transfer, outcomes.weak, np.zeros((4, 60)), np.ones((4, 60))):
        try:
            pgr_estimate(_with_transfer(outcomes, transfer))
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
        found = pgr_estimate(_with_transfer(outcomes, outcomes.transfer, paired))
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


GOOD = np.tile([0.0, 1.0], (3, 5))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"weak": np.where(GOOD > 0, np.nan, 0)}, BadProbabilities),
        ({"ceiling": GOOD + np.inf}, BadProbabilities),
        ({"transfer": GOOD * 2}, BadProbabilities),
        ({"transfer": GOOD[0]}, BadProbabilities),
        ({"transfer": GOOD[:, :9]}, BadProbabilities),
        ({"transfer": [[0, 1], [0]]}, BadProbabilities),
        ({"ceiling": GOOD[:1]}, TooFewSeeds),
        ({"transfer": GOOD[:2]}, BadInput),
        ({"clusters": np.arange(10) / 2}, BadInput),
        ({"clusters": np.zeros((2, 5), dtype=int)}, BadInput),
        ({"clusters": np.zeros(10, dtype=int)}, Undefined),
    ],
)
def test_outcomes_refuse_what_cannot_be_estimated(
    change: dict[str, FloatArray], kind: type[Exception]
) -> None:
    parts = {"weak": GOOD, "ceiling": GOOD, "transfer": GOOD, "clusters": np.arange(10)}
    with pytest.raises(kind):
        Outcomes(**(parts | change))


def test_a_gain_needs_students_of_the_same_weak_seeds() -> None:
    outcomes, rival = draw(2)
    with pytest.raises(BadInput):
        paired_gain(outcomes, rival[:3])
    with pytest.raises(BadInput):
        paired_gain(_with_transfer(outcomes, outcomes.transfer, paired=False), rival)
    with pytest.raises(BadProbabilities):
        paired_gain(outcomes, rival[:, :5])
