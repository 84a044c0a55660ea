"""Two conditions compared over pairs: an exact test, an interval, and what could have been seen.

The test flips the signs of the differences in all 2ⁿ ways (Fisher 1935): if the conditions do not
differ, each way is as likely, whatever the distribution. With n pairs no p-value lies below 2/2ⁿ,
so that fewer than six pairs cannot reach .05. The interval is Student's for the mean of the
differences, and supposes that these are about normal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from aar_lab.errors import BadInput
from aar_lab.metrics import minimum_detectable
from aar_lab.rng import stream
from aar_lab.types import FloatArray

EXACT = 14  # pairs; above, this many random flips:
FLIPS = 20_000
TOLERANCE = 1e-12
LEVEL, POWER = 0.05, 0.8


@dataclass(frozen=True)
class Paired:
    """A comparison, first condition minus second; None where too few pairs are known.

    Args:
        pairs: of which both values are known.
        interval: of the difference, at the 95 % level; two pairs or more.
        p: two-sided; of one pair it is 1.
        smallest_p: that so many pairs can give.
        detectable: difference that a t-test of as many pairs, as noisy as these, would find four
            times in five.
    """

    pairs: int
    first: float | None
    second: float | None
    difference: float | None
    interval: tuple[float, float] | None
    p: float | None
    smallest_p: float | None
    detectable: float | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        found = asdict(self)
        return {**found, "interval": self.interval and list(self.interval)}


def compare_pairs(pairs: Sequence[tuple[float | None, float | None]], seed: int = 0) -> Paired:
    """Compare by pairs; those of which a value is None are left out.

    Raises:
        BadInput: a value is not finite.
    """
    known = [(one, other) for one, other in pairs if one is not None and other is not None]
    if any(not math.isfinite(value) for pair in known for value in pair):
        raise BadInput("a value of a pair", "it is not finite", "Leave it out.")
    if not known:
        return Paired(0, None, None, None, None, None, None, None)
    first, second = np.array(known).T
    apart = first - second
    size, mean = len(known), float(apart.mean())
    error = float(apart.std(ddof=1)) / math.sqrt(size) if size > 1 else None
    reach = None if error is None else float(stdtrit(size - 1, 1 - LEVEL / 2)) * error
    return Paired(
        pairs=size,
        first=float(first.mean()),
        second=float(second.mean()),
        difference=mean,
        interval=None if reach is None else (mean - reach, mean + reach),
        p=flip_test(apart, seed),
        smallest_p=2 / 2**size if size <= EXACT else 1 / (FLIPS + 1),
        detectable=None if error is None else minimum_detectable(error, size - 1, POWER, LEVEL),
    )


def flip_test(differences: FloatArray, seed: int = 0) -> float:
    """Share of the ways to flip signs whose mean is as far from 0, shape (n,) with n ≥ 1."""
    size = len(differences)
    if size <= EXACT:
        codes = np.arange(2**size)[:, None] >> np.arange(size)
        signs = 1 - 2 * (codes & 1)
    else:
        drawn = stream(seed, "flips").integers(2, size=(FLIPS, size))
        signs = 1 - 2 * np.vstack([np.zeros((1, size), drawn.dtype), drawn])
    sums, own = np.abs(signs @ differences), abs(differences.sum())
    return float((sums >= own - TOLERANCE * max(1.0, own)).mean())
