"""Random streams: reproducible by name, unrelated between names."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aar_lab.rng import derive, stream

SEEDS = st.integers(0, 2**63) | st.text("abc", min_size=1)
PURPOSE = st.lists(st.integers(0, 99) | st.text("abc", max_size=3), max_size=3)


@given(SEEDS, PURPOSE)
def test_a_stream_is_a_function_of_seed_and_purpose(seed: int | str, purpose: list[str]) -> None:
    assert 0 <= derive(seed, *purpose) < 2**63
    first, second = stream(seed, *purpose), stream(seed, *purpose)
    assert first.integers(2**63, size=4).tolist() == second.integers(2**63, size=4).tolist()


@given(SEEDS, PURPOSE, SEEDS, PURPOSE)
def test_another_seed_or_purpose_is_another_stream(
    seed: int | str, purpose: list[str], other: int | str, reason: list[str]
) -> None:
    def name(*words: object) -> list[str]:
        return [str(word) for word in words]

    same = name(seed, *purpose) == name(other, *reason)
    assert (derive(seed, *purpose) == derive(other, *reason)) == same


def test_where_the_words_of_a_purpose_are_cut_matters() -> None:
    assert derive(1, "ab", "c") != derive(1, "a", "bc")
    assert derive(1, "1") != derive(11)


def test_streams_of_two_purposes_are_uncorrelated() -> None:
    first, second = (stream(0, word).normal(size=20_000) for word in ("fit", "split"))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_a_known_value_so_that_old_seeds_keep_their_meaning() -> None:
    assert derive(0, "method") == 5208621779159354011
