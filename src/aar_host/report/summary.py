"""What a campaign's numbers say, in sentences and series; pure functions of `Results`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aar_host.feedback import get_policy
from aar_host.report.results import Finalist, Gain, HistoryRow, Results, SealedScore
from aar_host.report.text import clean, count, measured

CHOSEN = (
    "It led the finalists on the public part before the sealed part was opened; it was not chosen "
    "by the number given here."
)
CIRCULAR = "It was chosen by the very number given here, which proves nothing."
UNSCORED = "No finalist has a score on the sealed part, so this campaign supports no claim."


@dataclass(frozen=True)
class Headline:
    """The result in one sentence, and the remarks without which it would mislead."""

    sentence: str
    remarks: tuple[str, ...]


def leader(results: Results) -> Finalist | None:
    """The opened finalist with the highest public PGR; None if none was opened.

    It is chosen by its public score, hence before the sealed part was read: to choose it by its
    sealed score would make that score optimistic too.
    """
    opened = [finalist for finalist in results.finalists if finalist.sealed is not None]
    return max(opened, key=_public, default=None)


def by_sealed(results: Results) -> list[Finalist]:
    """The finalists, highest sealed PGR first, those without one last; ties keep their order."""
    return sorted(results.finalists, key=lambda one: -one.sealed.pgr if one.sealed else math.inf)


def headline(results: Results) -> Headline:
    """What the campaign found."""
    best = leader(results)
    if best is None or best.sealed is None:
        return Headline(UNSCORED, _failures(results))
    # A title must not end its own quotation and go on in the report's voice.
    title = clean(best.title, 120).replace("“", "‘").replace("”", "’")
    author = clean(best.researcher, 80)
    sealed = get_policy(results.policy).opening is not None
    part = "the sealed part" if sealed else "items that had answered all along"
    sentence = (
        f"“{title}” by {author} recovered {measured(best.sealed.pgr, best.sealed.interval)} of the "
        f"performance gap on {part}; {verdict(best.sealed.gain_over_naive)}"
    )
    stricter = best.sealed.gain_over_naive_both_orders
    above = [one for one in results.finalists if _beats_naive(one.sealed)]
    remarks = (
        f"{CHOSEN if sealed else CIRCULAR} Intervals are at the 95 % level.",
        "Against naive whose answers to both orders of a pair are averaged, a help that needs no "
        f"method, {verdict(stricter)}",
        f"{len(above)} of {count(len(results.finalists), 'finalist')} "
        "gained over naive with an interval above 0, each judged by itself.",
    )
    return Headline(sentence, remarks + _failures(results))


def verdict(gain: Gain | None) -> str:
    """Whether a paired gain over naive differs from 0, as the end of a sentence."""
    if gain is None:
        return "it was not compared with naive."
    shown = measured(gain.mean, gain.interval)
    if gain.interval.low > 0:
        return f"its gain over naive is {shown}, and the interval excludes 0: it beats naive."
    if gain.interval.high < 0:
        return f"its gain over naive is {shown}, and the interval excludes 0: naive beats it."
    return (
        f"its gain over naive is {shown}, and the interval includes 0: "
        "the data do not show that it beats naive."
    )


def frontier(history: Sequence[HistoryRow]) -> list[tuple[float, float]]:
    """(seconds, PGR) at which the best public PGR so far rose, in order of time."""
    rises: list[tuple[float, float]] = []
    for row in sorted(history, key=lambda row: row.seconds):
        if row.pgr is not None and (not rises or row.pgr > rises[-1][1]):
            rises.append((row.seconds, row.pgr))
    return rises


def _public(finalist: Finalist) -> float:
    return -math.inf if finalist.public.pgr is None else finalist.public.pgr


def _beats_naive(score: SealedScore | None) -> bool:
    return bool(score and score.gain_over_naive and score.gain_over_naive.interval.low > 0)


def _failures(results: Results) -> tuple[str, ...]:
    failed = sum(one.sealed is None for one in results.finalists)
    if not failed:
        return ()
    return (f"{count(failed, 'finalist')} could not be scored on the sealed part; see the table.",)
