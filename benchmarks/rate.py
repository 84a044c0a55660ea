"""What the machine can do, and what a fit asks of it."""

from __future__ import annotations

import time

import torch

from aar_lab.learners.model import Architecture

SIZES = (256, 512, 1024)
REPEATS = 8


def matmul_rate() -> float:
    """Best float32 rate of one core in square matrix multiplications, in FLOP/s."""
    return max(_rate(size) for size in SIZES)


def _rate(size: int) -> float:
    a, b, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        torch.matmul(a, b, out=out)
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def fit_flops(arch: Architecture, tokens: int, rows: int) -> float:
    """Multiplications and additions that training on so many tokens in so many rows cannot avoid.

    Six per weight: forward, and backward by input and by weight. The last block needs every
    token's keys and values, the rest of it at one position of a row. Without attention's scores,
    padding and the optimiser.
    """
    block = 12 * arch.width**2
    per_token = block * (arch.layers - 1) + 2 * arch.width**2
    return 6.0 * (per_token * tokens + (block - 2 * arch.width**2) * rows)
