"""Batches: every row once, little padding."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aar_lab.learners.batching import pad, shuffled_batches, sorted_batches

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=80).map(np.array)
SIZES = st.integers(1, 12)


@given(LENGTHS, SIZES, st.integers(1, 4), st.integers(0, 99))
def test_an_epoch_has_every_row_exactly_once(
    lengths: np.ndarray, size: int, pool: int, seed: int
) -> None:
    batches = list(shuffled_batches(lengths, size, np.random.default_rng(seed), pool))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // size)
    assert max(map(len, batches)) <= size


@given(LENGTHS, SIZES)
def test_inference_has_every_row_exactly_once_shortest_first(
    lengths: np.ndarray, size: int
) -> None:
    order = np.concatenate(list(sorted_batches(lengths, size)))
    assert sorted(order.tolist()) == list(range(len(lengths)))
    assert (np.diff(lengths[order]) >= 0).all()


def test_rows_of_like_length_share_a_batch() -> None:
    lengths = np.random.default_rng(0).integers(5, 40, size=400)
    batches = list(shuffled_batches(lengths, 20, np.random.default_rng(1), pool=20))
    padding = sum((lengths[b].max() - lengths[b]).sum() for b in batches)
    assert padding < 0.1 * lengths.sum()


def test_another_epoch_has_another_order() -> None:
    rng, lengths = np.random.default_rng(0), np.full(64, 7)
    first, second = (np.concatenate(list(shuffled_batches(lengths, 8, rng))) for _ in range(2))
    assert first.tolist() != second.tolist()


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=6), min_size=1, max_size=6))
def test_padding_keeps_the_rows_and_fills_with_zero(rows: list[list[int]]) -> None:
    tokens, lengths = pad(rows)
    assert tokens.shape == (len(rows), max(map(len, rows)))
    for row, padded, length in zip(rows, tokens.tolist(), lengths, strict=True):
        assert padded[:length] == row
        assert not any(padded[length:])
