"""The exact test keeps its level, the interval and the power are those of Student."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aar_host.studies.paired import EXACT, FLIPS, compare_pairs, flip_test
from aar_lab.errors import BadInput

NUMBERS = st.lists(st.floats(-10, 10), min_size=1, max_size=8)


@given(NUMBERS)
def test_without_a_difference_small_p_values_are_as_rare_as_they_say(sizes):
    flips = 1 - 2 * (np.arange(2 ** len(sizes))[:, None] >> np.arange(len(sizes)) & 1)
    found = np.array([flip_test(row * np.abs(sizes)) for row in flips])
    for level in (0.05, 0.1, 0.3):
        assert (found <= level).mean() <= level


@given(NUMBERS)
def test_the_order_of_conditions_and_the_unit_do_not_matter(sizes):
    apart = np.round(sizes, 3)
    assert flip_test(apart) == flip_test(-apart) == pytest.approx(flip_test(1000 * apart))


def test_p_is_that_of_scipy_exactly_and_by_chance():
    rng = np.random.default_rng(3)
    for size in (4, 9, EXACT, EXACT + 6):
        apart = rng.normal(0.4, 1, size)
        known = (
            stats.permutation_test(
                (apart,),
                np.mean,
                permutation_type="samples",
                n_resamples=2**size if size < 15 else 1,
            )
            if size <= EXACT
            else stats.wilcoxon(apart)
        )
        assert flip_test(apart) == pytest.approx(known.pvalue, abs=1e-9 if size <= EXACT else 0.1)


def test_interval_and_power_are_those_of_the_t_test():
    first, second = [0.7, 0.5, 0.9, 0.6], [0.4, 0.5, 0.3, 0.5]
    found = compare_pairs(list(zip(first, second, strict=True)))
    known = stats.ttest_rel(first, second).confidence_interval()
    assert found.interval == pytest.approx((known.low, known.high))
    assert found.difference == pytest.approx(np.mean(first) - np.mean(second))
    assert (found.pairs, found.smallest_p, found.p) == (4, 0.125, 0.25)
    error = np.std(np.subtract(first, second), ddof=1) / 2
    shift = found.detectable / error
    power = 1 - stats.nct.cdf(stats.t.ppf(0.975, 3), 3, shift)
    assert power == pytest.approx(0.8, abs=0.01)


def test_few_pairs_claim_nothing():
    nothing = compare_pairs([(None, 1.0), (0.5, None)])
    assert (nothing.pairs, nothing.p, nothing.difference) == (0, None, None)
    one = compare_pairs([(1.0, 0.0), (None, 3.0)])
    assert (one.pairs, one.p, one.smallest_p, one.interval, one.detectable) == (1, 1, 1, None, None)
    same = compare_pairs([(1.0, 1.0), (2.0, 2.0)])
    assert (same.p, same.interval, same.detectable) == (1, (0, 0), 0)


def test_many_pairs_are_tested_by_chance_and_never_with_p_0():
    found = compare_pairs([(float(i + 1), 0.0) for i in range(EXACT + 10)])
    assert found.p == found.smallest_p == pytest.approx(1 / (FLIPS + 1))


def test_what_is_not_finite_is_refused():
    with pytest.raises(BadInput, match="not finite"):
        compare_pairs([(math.nan, 1.0)])
