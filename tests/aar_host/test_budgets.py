"""Budgets as data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.budgets import MARKS, RESOURCES, Budget, Budgets, passed
from aar_lab.errors import BadSettings

limits = st.floats(0.01, 1e9)


@given(st.dictionaries(st.sampled_from(RESOURCES), limits))
def test_a_budget_is_read_as_it_was_written(body):
    assert Budget.from_dict(body).as_dict() == body


def test_a_seat_has_its_own_limits_and_those_of_all_where_it_has_none():
    budgets = Budgets(Budget(dollars=9), Budget(dollars=2, tokens=5), {"ada": Budget(dollars=3)})
    assert budgets.of("ada") == Budget(dollars=3, tokens=5)
    assert budgets.of("blaise") == Budget(dollars=2, tokens=5)
    assert budgets.of(None) == Budget(dollars=9)
    assert Budgets.from_dict(budgets.as_dict()) == budgets


@pytest.mark.parametrize("value", [0, -1, "5", True, float("nan")])
def test_a_limit_is_a_number_above_0(value):
    with pytest.raises(BadSettings, match="no number above 0"):
        Budget(dollars=value)


def test_an_unknown_resource_is_named():
    with pytest.raises(BadSettings, match="euros"):
        Budget.from_dict({"euros": 3})


@given(limits, st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_each_mark_is_passed_once_however_the_use_grows(limit, steps):
    used, told = 0.0, []
    for step in steps:
        told += passed(limit, used, used + step)
        used += step
    assert told == [mark for mark in MARKS if mark * limit <= used]


def test_without_a_limit_there_is_no_mark():
    assert passed(None, 0, 1e9) == []
