"""How diverse the methods of a fleet are: Shannon entropy of their families, in nats.

    H = −Σ p_k ln p_k,   p_k the share of family k among n methods;   exp(H): effective families

The plug-in H is too low on average, by about (K − 1)/2n with K families that occur. `corrected`
adds that (Miller 1955). The bands resample researchers, then methods of each, so that they tell how
much H would vary with another fleet; a resample loses families, hence they lie low as well, and one
researcher gives no band. Two conditions are to be compared at equal n, or by `corrected`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aar_lab.errors import BadInput
from aar_lab.rng import stream

DRAWS, LEVELS = 500, (0.025, 0.975)
POINTS = 24
WINDOW = 0.25
UNIT = "nats"


@dataclass(frozen=True)
class Tried:
    """A method that was handed in: when, by whom, of which family."""

    seconds: float
    researcher: str
    family: str


def entropy(counts: Mapping[str, int]) -> float:
    """H in nats of how often each family occurs, in [0, ln K]; 0 for nothing.

    Raises:
        BadInput: a count is negative.
    """
    if any(count < 0 for count in counts.values()):
        raise BadInput(str(dict(counts))[:80], "a count is negative", "Count from 0.")
    total = sum(counts.values())
    shares = [count / total for count in counts.values() if count]
    return max(0.0, -math.fsum(share * math.log(share) for share in shares))


def corrected(counts: Mapping[str, int]) -> float:
    """H less its bias to first order, as Miller and Madow: H + (K − 1)/2n; may exceed ln K."""
    total, kinds = sum(counts.values()), sum(count > 0 for count in counts.values())
    return entropy(counts) + (max(0, kinds - 1) / (2 * total) if total else 0.0)


def band(rows: Sequence[Tried], draws: int = DRAWS, seed: int = 0) -> tuple[float, float] | None:
    """95 % percentile band of H over researchers and their methods; None of fewer than two."""
    own: dict[str, list[str]] = {}
    for row in rows:
        own.setdefault(row.researcher, []).append(row.family)
    if len(own) < 2:
        return None
    kinds = {name: place for place, name in enumerate(dict.fromkeys(row.family for row in rows))}
    counts = [
        np.bincount([kinds[f] for f in found], minlength=len(kinds)) for found in own.values()
    ]
    rng = stream(seed, "diversity")
    drawn = np.zeros((draws, len(kinds)))
    for _ in own:
        who = rng.integers(len(counts), size=draws)
        for place, count in enumerate(counts):
            hit = np.flatnonzero(who == place)
            drawn[hit] += rng.multinomial(count.sum(), count / count.sum(), len(hit))
    low, high = np.quantile(_entropies(drawn), LEVELS)
    return float(low), float(high)


def _entropies(counts: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, Any]:
    shares = counts / counts.sum(axis=1, keepdims=True)
    return np.asarray(-(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1))


def curve(rows: Sequence[Tried], seconds: float, draws: int = DRAWS) -> list[dict[str, Any]]:
    """H over time, as JSON: of all methods so far with its band, and of those of the last quarter.

    Args:
        seconds: the length of the campaign, above 0.

    Returns:
        POINTS moments; a number is None where there is no method, a band where there is none.
    """
    found = []
    for point in range(1, POINTS + 1):
        now = seconds * point / POINTS
        before = [row for row in rows if row.seconds <= now]
        late = [row for row in before if row.seconds > now - WINDOW * seconds]
        sides = band(before, draws)
        found.append(
            {
                "seconds": now,
                "methods": len(before),
                "entropy": entropy(counted(before)) if before else None,
                "low": sides and sides[0],
                "high": sides and sides[1],
                "windowed": entropy(counted(late)) if late else None,
            }
        )
    return found


def counted(rows: Sequence[Tried]) -> dict[str, int]:
    """How often each family occurs, the most frequent first."""
    found = Counter(row.family for row in rows)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def diversity_of(rows: Sequence[Tried], seconds: float) -> dict[str, Any]:
    """Diversity of a campaign as JSON; numbers are None where no method was handed in.

    Args:
        seconds: the length of the campaign, above 0.
    """
    counts = counted(rows)
    sides = band(rows)
    return {
        "unit": UNIT,
        "methods": len(rows),
        "families": counts,
        "entropy": entropy(counts) if rows else None,
        "corrected": corrected(counts) if rows else None,
        "effective": math.exp(entropy(counts)) if rows else None,
        "band": list(sides) if sides else None,
        "curve": curve(rows, seconds),
    }
