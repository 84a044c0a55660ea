"""What a score may reveal: policies as data, and the one function that words an answer.

A policy cannot protect labels that answer queries. What it guarantees rests on the sealed part,
which answers nothing until it is opened once, for frozen finalists; see `sealed_bound`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aar_lab.errors import BadInput, NotAuthorised, UnknownName

UNDEFINED = "PGR is undefined here: the ceiling is not measurably above the weak supervisor"


@dataclass(frozen=True)
class Policy:
    """What the API says about scores, and how often.

    Args:
        name: as in `POLICIES`.
        answering: part whose scores researchers are told.
        opening: part that is opened once, for frozen finalists.
        step: PGR and its interval are rounded to multiples of it.
        seeds: issued by the host for each submission, at least 2.
        max_submissions: of a campaign, pooled over its researchers.
        max_finalists: opened in one campaign.
        finalists_each: of them, at most so many by one researcher.
    """

    name: str
    answering: str
    opening: str
    step: float
    seeds: int
    max_submissions: int
    max_finalists: int
    finalists_each: int


SEALED = Policy(
    name="SEALED",
    answering="public",
    opening="sealed",
    step=0.01,
    seeds=5,
    max_submissions=300,
    max_finalists=9,
    finalists_each=1,
)
POLICIES = {policy.name: policy for policy in (SEALED,)}


def get_policy(name: str) -> Policy:
    """The policy of that name, or `UnknownName`."""
    if name not in POLICIES:
        known = ", ".join(POLICIES)
        raise UnknownName(f"{name!r:.80}", "there is no such feedback policy", f"Known: {known}.")
    return POLICIES[name]


def answer(policy: Policy, score: Mapping[str, Any]) -> dict[str, Any]:
    """All that the API may say about a score.

    Args:
        policy: of the campaign.
        score: `Score.as_dict()`; of it only `part` and, in `pgr`, mean and interval are read.
            `pgr` is null where it is undefined, which depends on the anchors alone.

    Returns:
        {"pgr": p, "interval": [low, high]} in multiples of `policy.step`, null for an unbounded
        side; or {"pgr": null, "interval": null, "reason": the same text for every submission}.

    Raises:
        NotAuthorised: the policy does not answer for the part of this score.
    """
    if score["part"] != policy.answering:
        raise NotAuthorised(
            score["part"],
            f"the policy {policy.name} answers for the part {policy.answering} alone",
            "Wait until the finalists are opened.",
        )
    estimate = score["pgr"]
    if estimate is None:
        return {"pgr": None, "interval": None, "reason": UNDEFINED}
    low, high = estimate["interval"]
    return {
        "pgr": _rounded(estimate["mean"], policy.step),
        "interval": [_rounded(low, policy.step), _rounded(high, policy.step)],
    }


def sealed_bound(items: int, finalists: int = SEALED.max_finalists, risk: float = 0.05) -> float:
    """How far the sealed accuracy of any finalist can lie from its true accuracy (Hoeffding 1963).

    With probability at least 1 − risk all of them lie within √(ln(2 finalists / risk) / (2 items)),
    however many public answers there were, because the finalists were frozen before.

    Args:
        items: sealed items that are drawn independently: the number of problems where the items
            of a problem depend on each other, provided that all problems are of equal size.
        finalists: opened together, at least 1.
        risk: in (0, 1).

    Raises:
        BadInput: an argument is out of range.
    """
    if items < 1 or finalists < 1 or not 0 < risk < 1:
        raise BadInput(
            f"{items} items, {finalists} finalists, risk {risk}",
            "the bound needs at least one item and one finalist, and a risk in (0, 1)",
            "Correct the numbers.",
        )
    return math.sqrt(math.log(2 * finalists / risk) / (2 * items))


def _rounded(value: float | None, step: float) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    # The outer rounding removes the digits that a binary multiple of .01 drags along.
    return round(round(value / step) * step, 10)
