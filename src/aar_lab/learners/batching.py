"""Batches of examples of like length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def pad(rows: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    """Right-pad with 0: tokens of shape (n, longest) and lengths of shape (n,)."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    tokens = np.zeros((len(rows), int(lengths.max())), dtype=np.int64)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = row
    return tokens, lengths


def shuffled_batches(
    lengths: IntArray, size: int, rng: np.random.Generator, pool: int = 16
) -> Iterator[npt.NDArray[np.intp]]:
    """Positions of one epoch in random batches; within pools of `pool` batches sorted by length."""
    order = rng.permutation(len(lengths))
    batches: list[npt.NDArray[np.intp]] = []
    for start in range(0, len(order), size * pool):
        part = order[start : start + size * pool]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches += [part[i : i + size] for i in range(0, len(part), size)]
    yield from (batches[i] for i in rng.permutation(len(batches)))


def sorted_batches(lengths: IntArray, size: int) -> Iterator[npt.NDArray[np.intp]]:
    """Positions of all examples, shortest first; for inference, where order does not matter."""
    order = np.argsort(lengths, kind="stable")
    yield from (order[i : i + size] for i in range(0, len(order), size))
