"""Feedback: what an answer may hold, to what precision, and the bound of the sealed opening."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.feedback import (
    EXACT,
    FLOOR,
    GUARDED,
    POLICIES,
    SEALED,
    Policy,
    admit,
    answer,
    get_policy,
    honeylabels,
    noise_of,
    sealed_bound,
)
from aar_lab.errors import BadInput, BadSettings, NotAuthorised, UnknownName

NUMBERS = st.floats(-3, 3)
SIDES = st.none() | NUMBERS
STEPS = st.integers(-300, 300)
JITTER = st.floats(-0.0049, 0.0049)


def make_score(pgr: float, low: float | None, high: float | None, **rest: Any) -> dict[str, Any]:
    """A score as `aar_host.scoring` stores it, full of what must not get out."""
    return {
        "submission": "s1",
        "part": "public",
        "anchors_version": "v1",
        "accuracy": [0.7123, 0.7311],
        "pgr": {"mean": pgr, "interval": [low, high], "method": "delta"},
        "gain_over_naive": {"mean": 0.1234, "interval": [0.0511, 0.2017], "method": "delta"},
        "n_items": 421,
        "n_problems": 140,
        "shifted_pgr": None,
    } | rest


@given(NUMBERS, SIDES, SIDES)
def test_an_answer_is_three_rounded_numbers_and_nothing_else(
    pgr: float, low: float | None, high: float | None
) -> None:
    told = answer(SEALED, make_score(pgr, low, high))
    assert list(told) == ["pgr", "interval"]
    assert len(told["interval"]) == 2
    for value, given_out in zip((pgr, low, high), (told["pgr"], *told["interval"]), strict=True):
        if value is None:
            assert given_out is None
        else:
            assert type(given_out) is float
            assert given_out == round(given_out, 2)
            assert abs(given_out - value) <= 0.005 + 1e-9
            assert math.copysign(1, given_out) == 1 or given_out < 0, "−0.0 tells a sign"


@given(STEPS, STEPS, STEPS, st.lists(JITTER, min_size=6, max_size=6))
def test_scores_that_round_alike_are_answered_alike(
    pgr: int, low: int, high: int, jitter: list[float]
) -> None:
    centres = [pgr / 100, low / 100, high / 100]
    first = make_score(*(c + j for c, j in zip(centres, jitter[:3], strict=True)))
    second = make_score(
        *(c + j for c, j in zip(centres, jitter[3:], strict=True)),
        accuracy=[0.1],
        n_items=1,
        submission="s2",
    )
    told = answer(SEALED, first)
    assert json.dumps(told) == json.dumps(answer(SEALED, second))
    assert told == {"pgr": pgr / 100, "interval": [low / 100, high / 100]}


@given(NUMBERS, NUMBERS, NUMBERS)
def test_the_told_interval_still_contains_the_told_pgr(a: float, b: float, c: float) -> None:
    low, pgr, high = sorted((a, b, c))
    told = answer(SEALED, make_score(pgr, low, high))
    assert told["interval"][0] <= told["pgr"] <= told["interval"][1]


def test_undefined_pgr_is_told_in_one_text_for_all() -> None:
    told = [
        answer(SEALED, make_score(0, 0, 0, accuracy=accuracy, submission=name) | {"pgr": None})
        for name, accuracy in (("s1", [0.1]), ("s2", [0.9]))
    ]
    assert told[0] == told[1]
    assert set(told[0]) == {"pgr", "interval", "reason"}
    assert told[0]["pgr"] is None
    assert told[0]["interval"] is None
    assert not any(character.isdigit() for character in told[0]["reason"])


@pytest.mark.parametrize("part", ["sealed", "train_unlabeled"])
def test_only_the_answering_part_is_answered(part: str) -> None:
    with pytest.raises(NotAuthorised):
        answer(SEALED, make_score(0.5, 0.4, 0.6, part=part))


@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
def test_every_policy_keeps_a_part_sealed_and_estimates_variance(policy: Policy) -> None:
    assert get_policy(policy.name) is policy
    assert policy.answering != policy.opening
    assert policy.seeds >= 2
    assert policy.finalists_each <= policy.max_finalists <= policy.max_submissions


def test_an_unknown_policy_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"'OPEN'.*SEALED"):
        get_policy("OPEN")


def test_the_sealed_bound_is_hoeffdings() -> None:
    assert sealed_bound(842) == pytest.approx(math.sqrt(math.log(2 * 9 / 0.05) / (2 * 842)))
    assert sealed_bound(100, finalists=1) < sealed_bound(100) < sealed_bound(50)


def test_the_sealed_bound_holds_for_all_finalists_at_once() -> None:
    rng = np.random.default_rng(0)
    truth = np.linspace(0.5, 0.9, 9)
    seen = rng.binomial(200, truth, size=(4000, 9)) / 200
    worst = np.abs(seen - truth).max(axis=1)
    assert (worst <= sealed_bound(200)).mean() >= 0.95
    assert (worst <= sealed_bound(200) / 3).mean() < 0.95


@pytest.mark.parametrize(
    ("items", "finalists", "risk"), [(0, 9, 0.05), (10, 0, 0.05), (10, 9, 0.0), (10, 9, math.nan)]
)
def test_the_sealed_bound_refuses_what_bounds_nothing(
    items: int, finalists: int, risk: float
) -> None:
    with pytest.raises(BadInput):
        sealed_bound(items, finalists, risk)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_a_guarded_answer_is_one_coarse_number(
    pgr: float, low: float, high: float, noise: float
) -> None:
    told = answer(GUARDED, make_score(pgr, low, high, noise=noise))
    assert told["interval"] is None
    if round((pgr + noise) / 0.05) <= 0:
        assert told == {"pgr": 0.0, "interval": None, "reason": FLOOR}
    else:
        assert list(told) == ["pgr", "interval"]
        assert told["pgr"] == pytest.approx(round((pgr + noise) / 0.05) * 0.05)


@given(NUMBERS, NUMBERS, st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_an_exact_answer_holds_back_nothing_and_is_marked(
    pgr: float, low: float, accuracy: list[float]
) -> None:
    told = answer(EXACT, make_score(pgr, low, None, accuracy=accuracy))
    assert told["pgr"] == pgr
    assert told["interval"] == [low, None]
    assert told["accuracy"] == sum(accuracy) / len(accuracy)
    assert told["mark"] == EXACT.mark


@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
def test_whatever_is_in_a_score_an_answer_has_no_other_words(policy: Policy) -> None:
    """A score full of what must not get out: none of it does, whatever it is called."""
    hidden = {
        f"hidden_{kind}": value
        for kind, value in (("count", 301), ("items", [1, 0, 1]), ("subsets", {"a": 0.25}))
    }
    plain = make_score(0.31, 0.1, 0.5, noise=0.0)
    told = answer(policy, plain | hidden)
    assert told == answer(policy, plain)
    assert set(told) <= {"pgr", "interval", "reason", "accuracy", "mark"}
    if policy is not EXACT:
        other = {"accuracy": [0.0], "n_items": 3, "n_problems": 1, "shifted_pgr": {"mean": 9}}
        assert told == answer(policy, plain | other)


def test_noise_follows_from_content_and_secret_alone_and_has_its_spread() -> None:
    drawn = [noise_of(GUARDED, b"secret", str(i)) for i in range(2000)]
    assert drawn == [noise_of(GUARDED, b"secret", str(i)) for i in range(2000)]
    assert drawn != [noise_of(GUARDED, b"other", str(i)) for i in range(2000)]
    assert np.std(drawn) == pytest.approx(0.01, rel=0.1)
    assert abs(np.mean(drawn)) < 0.001
    assert noise_of(SEALED, b"secret", "x") == 0


def test_honeylabels_are_chosen_by_the_secret_and_never_more_than_a_tenth() -> None:
    ids = [str(i) for i in range(500)]
    first, second = (honeylabels(GUARDED, secret, ids) for secret in (b"a", b"b"))
    assert len(first) == len(second) == 40
    assert first != second
    assert first == honeylabels(GUARDED, b"a", reversed(ids))
    assert len(honeylabels(GUARDED, b"a", ids[:55])) == 5
    assert honeylabels(SEALED, b"a", ids) == frozenset()


def test_exact_answers_must_be_asked_for() -> None:
    with pytest.raises(BadSettings, match="--leaky"):
        admit(EXACT, leaky=False)
    admit(EXACT, leaky=True)
    admit(GUARDED, leaky=False)
    admit(SEALED, leaky=False)


def test_the_parameters_are_those_of_the_study() -> None:
    assert (GUARDED.max_each, GUARDED.max_daily, GUARDED.max_submissions) == (10, 3, 90)
    assert (GUARDED.gate, GUARDED.noise, GUARDED.step, GUARDED.honeylabels) == (
        0.05,
        0.01,
        0.05,
        40,
    )
    assert (SEALED.step, SEALED.seeds, SEALED.max_finalists, SEALED.finalists_each) == (
        0.01,
        5,
        9,
        1,
    )
