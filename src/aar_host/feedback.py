"""What a score may reveal: policies as data, and the one function that words an answer.

A policy cannot protect labels that answer queries. What it guarantees rests on the sealed part,
which answers nothing until it is opened once, for frozen finalists; see `sealed_bound`.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from statistics import NormalDist
from typing import Any

from aar_host.store.schema import SubmissionKind, Tier
from aar_lab.errors import BadInput, BadSettings, NotAuthorised, UnknownName

UNDEFINED = "PGR is undefined here: the ceiling is not measurably above the weak supervisor"
FLOOR = "≤ 0: not above the weak supervisor"


@dataclass(frozen=True)
class Policy:
    """What the API says about scores, to whom, and how often.

    Args:
        name: as in `POLICIES`.
        kinds: of submissions that are taken.
        public_share: of the test problems, in (0, 1]; their items answer, the others are sealed.
        step: PGR and its interval are rounded to multiples of it; None: full precision.
        interval: whether the interval is told; it tells of single items whatever it is rounded to.
        accuracy: whether the accuracy is told as well, in full precision.
        floor: whether all PGR that rounds to 0 or less is told as "≤ 0".
        noise: standard deviation of what is added to an accuracy before it is told.
        gate: predictions that differ from anyone's earlier ones on at most this share of the
            answering items are given the answer of those; None: no gate.
        honeylabels: answering items that are scored with the wrong label; the operator knows them.
        seeds: issued by the host for each submission, at least 2.
        max_submissions: of a campaign, pooled over its researchers.
        max_each, max_daily: of one researcher, in all and within 24 hours; None: no cap.
        max_finalists: opened in one campaign.
        finalists_each: of them, at most so many by one researcher.
        mark: said with every number; a policy with a mark runs only when asked for by its flag.
    """

    name: str
    kinds: tuple[SubmissionKind, ...]
    public_share: float = 1 / 3
    step: float | None = 0.01
    interval: bool = True
    accuracy: bool = False
    floor: bool = False
    noise: float = 0.0
    gate: float | None = None
    honeylabels: int = 0
    seeds: int = 5
    max_submissions: int = 300
    max_each: int | None = None
    max_daily: int | None = None
    max_finalists: int = 9
    finalists_each: int = 1
    mark: str = ""

    @property
    def answering(self) -> str:
        """The part of the test items whose scores researchers are told."""
        return Tier.PUBLIC.value

    @property
    def opening(self) -> str | None:
        """The part that is opened once, for frozen finalists; None: everything has answered."""
        return Tier.SEALED.value if self.public_share < 1 else None

    @property
    def caps(self) -> dict[str, int]:
        """The caps that there are, as a campaign's config holds them."""
        found = {
            "max_submissions": self.max_submissions,
            "max_each": self.max_each,
            "max_daily": self.max_daily,
        }
        return {name: cap for name, cap in found.items() if cap is not None}


SEALED = Policy(name="SEALED", kinds=(SubmissionKind.METHOD,))
GUARDED = Policy(
    name="GUARDED",
    kinds=(SubmissionKind.PREDICTIONS,),
    step=0.05,
    interval=False,
    floor=True,
    noise=0.01,
    gate=0.05,
    honeylabels=40,
    max_submissions=90,
    max_each=10,
    max_daily=3,
)
EXACT = Policy(
    name="EXACT",
    kinds=(SubmissionKind.METHOD, SubmissionKind.PREDICTIONS),
    public_share=1.0,
    step=None,
    accuracy=True,
    max_submissions=10**9,
    mark="EXACT: told in full precision without a cap; such numbers give the labels away.",
)
POLICIES = {policy.name: policy for policy in (SEALED, GUARDED, EXACT)}


def get_policy(name: str) -> Policy:
    """The policy of that name, or `UnknownName`."""
    if name not in POLICIES:
        known = ", ".join(POLICIES)
        raise UnknownName(f"{name!r:.80}", "there is no such feedback policy", f"Known: {known}.")
    return POLICIES[name]


def admit(policy: Policy, leaky: bool) -> None:
    """`BadSettings` if the policy gives labels away and nobody has said that this is wanted."""
    if policy.mark and not leaky:
        raise BadSettings(
            policy.name,
            "it answers so exactly that a few hundred questions give every label",
            "Add --leaky if that is what you want to study; every number is then marked.",
        )


def answer(policy: Policy, score: Mapping[str, Any]) -> dict[str, Any]:
    """All that the API may say about a score.

    Args:
        policy: of the campaign.
        score: `Score.as_dict()`; of it only `part` and, in `pgr`, mean and interval are read; with
            noise in the policy also `noise`, in PGR; if the policy tells it, `accuracy`.
            `pgr` is null where it is undefined, which depends on the anchors alone.

    Returns:
        {"pgr": p, "interval": [low, high]} in multiples of `policy.step`, null for an unbounded
        side and for an interval that is not told; {"pgr": 0.0, "interval": null, "reason": "≤ 0"}
        below the floor; or {"pgr": null, "interval": null, "reason": the same text for every
        submission}. With `policy.accuracy` there is "accuracy", with `policy.mark` "mark".

    Raises:
        NotAuthorised: the policy does not answer for the part of this score.
    """
    if score["part"] != policy.answering:
        raise NotAuthorised(
            score["part"],
            f"the policy {policy.name} answers for the part {policy.answering} alone",
            "Wait until the finalists are opened.",
        )
    return _pgr(policy, score) | ({"mark": policy.mark} if policy.mark else {})


def _pgr(policy: Policy, score: Mapping[str, Any]) -> dict[str, Any]:
    estimate = score["pgr"]
    if estimate is None:
        return {"pgr": None, "interval": None, "reason": UNDEFINED}
    pgr = _rounded(estimate["mean"] + (score["noise"] if policy.noise else 0.0), policy.step)
    if policy.floor and pgr is not None and pgr <= 0:
        return {"pgr": 0.0, "interval": None, "reason": FLOOR}
    sides = [_rounded(side, policy.step) for side in estimate["interval"]]
    told: dict[str, Any] = {"pgr": pgr, "interval": sides if policy.interval else None}
    if policy.accuracy:
        told["accuracy"] = sum(score["accuracy"]) / len(score["accuracy"])
    return told


def noise_of(policy: Policy, secret: bytes, content: str) -> float:
    """What is added to the accuracy of predictions with this digest: N(0, `policy.noise`²).

    It follows from the digest and the campaign's secret, so that asking again tells nothing new.
    """
    word = hmac.new(secret, b"noise " + content.encode(), sha256).digest()
    uniform = ((int.from_bytes(word[:8], "big") >> 12) + 0.5) / 2**52
    return policy.noise * NormalDist().inv_cdf(uniform)


def honeylabels(policy: Policy, secret: bytes, ids: Iterable[str]) -> frozenset[str]:
    """Ids whose label is turned round before predictions are scored on the answering part.

    As many as the policy says, but never more than a tenth of the items. A submission that gets
    them "right" has not read inputs but answers.
    """

    def order(name: str) -> bytes:
        return hmac.new(secret, b"honey " + name.encode(), sha256).digest()

    names = sorted(ids, key=order)
    return frozenset(names[: min(policy.honeylabels, len(names) // 10)])


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


def _rounded(value: float | None, step: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    if step is None:
        return value
    # The outer rounding removes the digits that a binary multiple of .01 drags along.
    return round(round(value / step) * step, 10)
