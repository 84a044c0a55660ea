"""Independent random streams, each named by a seed and a purpose.

Two purposes never share a stream, so that drawing once more in one place leaves every other
place unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np


def derive(seed: int | str, *purpose: int | str) -> int:
    """An integer in [0, 2^63) that depends on the seed and on every word of the purpose."""
    text = "\x1f".join(str(word) for word in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int | str, *purpose: int | str) -> np.random.Generator:
    """A numpy generator of its own for (seed, purpose)."""
    return np.random.default_rng(derive(seed, *purpose))


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """One of the options; numpy's own choice draws the same and is several times slower."""
    return options[int(rng.integers(len(options)))]
