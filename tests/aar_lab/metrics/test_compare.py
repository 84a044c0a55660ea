"""Comparing methods: gain and p-value, Holm, power, and the price of choosing the best."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.aar_lab.metrics.drawn import draw, with_transfer

from aar_lab.errors import BadInput, BadProbabilities, UndefinedPGR
from aar_lab.metrics import best_of_k_bias, compare, holm, minimum_detectable, paired_gain

SEEDS = st.integers(0, 2**32 - 1)
P_VALUES = st.lists(st.floats(0, 1), max_size=12)

# --- gain and p-value -------------------------------------------------------------------------


@given(SEEDS)
def test_exchanging_the_methods_turns_the_gain_and_keeps_the_p_value(seed: int) -> None:
    outcomes, rival = draw(seed)
    there = compare(outcomes, rival)
    back = compare(with_transfer(outcomes, rival), outcomes.transfer)
    assert back.gain.mean == pytest.approx(-there.gain.mean)
    assert back.gain.interval.low == pytest.approx(-there.gain.interval.high)
    assert back.p_value == pytest.approx(there.p_value)
    assert there.gain == paired_gain(outcomes, rival)


@given(SEEDS, st.floats(0.3, 0.6))
def test_the_p_value_does_not_depend_on_weak_or_ceiling(seed: int, rival: float) -> None:
    outcomes, other = draw(seed, rival=rival)
    elsewhere = draw(seed + 1, weak=0.1, ceiling=0.8)[0]
    moved = type(outcomes)(elsewhere.weak, elsewhere.ceiling, outcomes.transfer, outcomes.clusters)
    assert compare(moved, other).p_value == pytest.approx(compare(outcomes, other).p_value)


def test_the_p_value_falls_with_the_gain() -> None:
    found = [compare(*draw(3, rival=rival)).p_value for rival in (0.55, 0.4, 0.2)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 1e-3


def test_methods_that_do_not_vary_differ_surely_or_not_at_all() -> None:
    outcomes, _ = draw(2)
    all_right, all_wrong = np.ones((6, 60)), np.zeros((6, 60))
    same = compare(with_transfer(outcomes, all_right), all_right)
    assert (same.p_value, same.error, same.gain.mean) == (1, 0, 0)
    assert compare(with_transfer(outcomes, all_right), all_wrong).p_value == 0


def test_a_gain_needs_students_of_the_same_weak_seeds_and_a_gap() -> None:
    outcomes, rival = draw(2)
    with pytest.raises(BadInput):
        compare(outcomes, rival[:3])
    with pytest.raises(BadInput):
        compare(with_transfer(outcomes, outcomes.transfer, paired=False), rival)
    with pytest.raises(BadProbabilities):
        compare(outcomes, rival[:, :5])
    with pytest.raises(UndefinedPGR):
        compare(*draw(2, ceiling=0.3))


# --- Holm -------------------------------------------------------------------------------------


def test_holm_by_hand() -> None:
    # Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04; the last may not fall below .06.
    assert holm([0.03, 0.01, 0.04, 0.02]).tolist() == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.6]).tolist() == [1, 1]


@given(P_VALUES)
def test_holm_keeps_the_order_and_never_lowers_a_p_value(raw: list[float]) -> None:
    adjusted = holm(raw)
    assert (adjusted >= raw).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()
    assert (adjusted <= np.minimum(1, len(raw) * np.array(raw))).all()


@given(P_VALUES, SEEDS)
def test_holm_does_not_care_for_the_order_of_tests(raw: list[float], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(raw))
    assert holm(np.array(raw)[order]).tolist() == holm(raw)[order].tolist()


@given(P_VALUES, st.floats(0, 1))
def test_holm_leaves_one_test_as_it_is_and_one_more_never_helps(
    raw: list[float], another: float
) -> None:
    assert holm([another]).tolist() == [another]
    assert (holm([*raw, another])[: len(raw)] >= holm(raw)).all()


@pytest.mark.parametrize("raw", [[0.5, math.nan], [1.1], [[0.1]], ["a"]])
def test_holm_refuses_what_is_no_p_value(raw: list[float]) -> None:
    with pytest.raises(BadProbabilities):
        holm(raw)


# --- power ------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("freedom", [4, 30])
def test_the_detectable_gain_is_detected_that_often(freedom: int, power: float) -> None:
    rng, error = np.random.default_rng(1), 0.05
    gain = minimum_detectable(error, freedom, power)
    estimates = gain + error * rng.normal(size=40_000)
    errors = error * np.sqrt(rng.chisquare(freedom, 40_000) / freedom)
    critical = {4: 2.7764, 30: 2.0423}[freedom]
    assert (np.abs(estimates / errors) > critical).mean() == pytest.approx(power, abs=0.01)


def test_the_detectable_gain_is_2_80_errors_where_they_are_known() -> None:
    assert minimum_detectable(0.1, 1e7) == pytest.approx(0.1 * (1.95996 + 0.84162), abs=1e-5)
    assert minimum_detectable(0, 5) == 0


@given(st.floats(1e-6, 1), st.floats(1, 1e6), st.floats(0.1, 0.9))
def test_a_larger_error_fewer_degrees_or_more_power_need_a_larger_gain(
    error: float, freedom: float, power: float
) -> None:
    found = minimum_detectable(error, freedom, power)
    assert minimum_detectable(2 * error, freedom, power) == pytest.approx(2 * found)
    assert minimum_detectable(error, 2 * freedom, power) <= found * (1 + 1e-6)
    assert minimum_detectable(error, freedom, power + 0.05) > found


@pytest.mark.parametrize(
    "wrong",
    [
        (-0.1, 5),
        (math.nan, 5),
        (0.1, 0.5),
        (0.1, math.inf),
        (0.1, 5, 1),
        (0.1, 5, 0.04),
        (0.1, 5, 0.8, 0),
    ],
)
def test_power_is_refused_out_of_range(wrong: tuple[float, ...]) -> None:
    with pytest.raises(BadInput):
        minimum_detectable(*wrong)


# --- the best of k ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trials", "expected"), [(1, 0), (2, 1 / math.sqrt(math.pi)), (3, 1.5 / math.sqrt(math.pi))]
)
def test_the_expected_maximum_is_exact_where_it_is_known(trials: int, expected: float) -> None:
    assert best_of_k_bias(1, trials) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("trials", [5, 20, 100])
def test_the_expected_maximum_is_that_of_simulated_scores(trials: int) -> None:
    scores = 0.1 * np.random.default_rng(0).normal(size=(20_000, trials))
    assert best_of_k_bias(0.1, trials) == pytest.approx(scores.max(axis=1).mean(), abs=0.002)


@given(st.floats(0, 1), st.integers(1, 10**8))
def test_more_trials_never_flatter_less(error: float, trials: int) -> None:
    assert best_of_k_bias(error, trials) <= best_of_k_bias(error, 10 * trials) + 1e-12
    # For standard normals the expected maximum is at most √(2 ln k).
    assert best_of_k_bias(error, trials) <= error * math.sqrt(2 * math.log(trials)) + 1e-9


@pytest.mark.parametrize("wrong", [(-1, 5), (math.nan, 5), (1, 0), (1, 10**10)])
def test_the_best_of_k_is_refused_out_of_range(wrong: tuple[float, int]) -> None:
    with pytest.raises(BadInput):
        best_of_k_bias(*wrong)
