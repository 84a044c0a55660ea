"""Laws of entropy, its bands, and what is told of a campaign."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.studies.diversity import (
    POINTS,
    Tried,
    band,
    corrected,
    counted,
    curve,
    diversity_of,
    entropy,
)
from aar_lab.errors import BadInput

COUNTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 60), max_size=8)


@given(COUNTS)
def test_entropy_lies_between_none_and_that_of_equal_shares(counts):
    kinds = sum(count > 0 for count in counts.values())
    assert -1e-12 <= entropy(counts) <= (math.log(kinds) if kinds else 0) + 1e-12


@given(COUNTS, st.integers(1, 9))
def test_entropy_depends_on_shares_alone(counts, factor):
    more = {name: factor * count for name, count in counts.items()}
    renamed = {name[::-1] + "!": count for name, count in reversed(counts.items())}
    assert entropy(more) == pytest.approx(entropy(counts))
    assert len(renamed) < len(counts) or entropy(renamed) == pytest.approx(entropy(counts))
    assert entropy({**counts, "nobody": 0}) == entropy(counts)


@given(COUNTS)
def test_to_tell_families_apart_never_lowers_entropy(counts):
    split = {f"{name}{half}": count for name, count in counts.items() for half in (1, 2)}
    assert entropy(split) >= entropy(counts) - 1e-12


@given(COUNTS)
def test_the_correction_is_upwards_and_that_of_miller(counts):
    total, kinds = sum(counts.values()), sum(count > 0 for count in counts.values())
    gap = corrected(counts) - entropy(counts)
    assert gap == pytest.approx((kinds - 1) / (2 * total) if kinds > 1 else 0)


def test_known_values():
    assert entropy({}) == corrected({}) == 0
    assert entropy({"a": 5}) == 0
    assert entropy({"a": 2, "b": 2}) == pytest.approx(math.log(2))
    assert entropy({"a": 1, "b": 1, "c": 2}) == pytest.approx(1.5 * math.log(2))
    with pytest.raises(BadInput, match="negative"):
        entropy({"a": -1})


def rows(*families: str, researchers: int = 3) -> list[Tried]:
    """One method a second, by the researchers in turn."""
    return [Tried(i + 1.0, f"r{i % researchers}", name) for i, name in enumerate(families)]


def test_a_band_holds_the_entropy_of_a_mixed_fleet_and_needs_two_researchers():
    found = rows(*"ababcabcabbac" * 4)
    low, high = band(found)
    assert low < entropy(counted(found)) <= high + 0.02
    assert band(found) == band(found)
    assert band(rows(*"abab", researchers=1)) is None
    assert band([]) is None
    assert band(rows(*"aaaa")) == (0, 0)


def test_researchers_who_each_keep_to_one_family_make_a_wide_band():
    apart = [Tried(1.0, who, who) for who in "abc" for _ in range(20)]
    mixed = [Tried(1.0, who, family) for who in "abc" for family in "abc" * 7]
    width = [high - low for low, high in (band(apart), band(mixed))]
    assert width[0] > 3 * width[1]


def test_the_curve_counts_what_was_there_and_what_is_recent():
    found = curve(rows(*"aaaabbbb", researchers=2), 8.0, draws=50)
    assert [len(found), found[-1]["seconds"], found[-1]["methods"]] == [POINTS, 8.0, 8]
    assert found[0]["methods"] == 0
    assert found[0]["entropy"] is found[0]["low"] is found[0]["windowed"] is None
    assert found[-1]["entropy"] == pytest.approx(math.log(2))
    assert found[-1]["windowed"] == 0


def test_diversity_is_json_even_of_nothing():
    nothing = diversity_of([], 60.0)
    assert nothing["families"] == {}
    assert nothing["entropy"] is nothing["band"] is nothing["effective"] is None
    found = diversity_of(rows(*"aab"), 60.0)
    assert found["families"] == {"a": 2, "b": 1}
    assert found["effective"] == pytest.approx(math.exp(found["entropy"]))
    json.dumps([nothing, found], allow_nan=False)
