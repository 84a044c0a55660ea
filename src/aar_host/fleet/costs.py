"""What a campaign has cost: language models and compute apart, in sum and for what it brought."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from aar_host.store import Store, Tier
from aar_host.store.campaigns import Campaign, find_campaign
from aar_host.store.schema import CallStatus, actors, jobs, ledger, model_calls, submissions
from aar_host.store.scores import leaderboard
from aar_host.store.spending import UNCHARGED
from aar_lab.types import RESEARCHERS, Role

POINT = 0.01  # of PGR


@dataclass
class Cost:
    """What one actor, or all together, used and brought.

    Args:
        hours: of the search that a researcher sat there, in which it was served.
        model_dollars, tokens: of calls that have ended.
        reserved_dollars: of calls under way, at most.
        calls: number of calls by outcome.
        compute_seconds, sealed_seconds: wall time of training jobs on either part.
        best: highest sealed PGR.
    """

    name: str
    hours: float = 0.0
    model_dollars: float = 0.0
    reserved_dollars: float = 0.0
    tokens: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    compute_seconds: float = 0.0
    sealed_seconds: float = 0.0
    submissions: int = 0
    best: float | None = None

    def add(self, other: Cost) -> None:
        """Take another's into this sum; of both best PGRs the higher one."""
        for name in ("hours", "model_dollars", "reserved_dollars", "tokens", "compute_seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.sealed_seconds += other.sealed_seconds
        self.submissions += other.submissions
        self.calls.update(other.calls)
        known = [best for best in (self.best, other.best) if best is not None]
        self.best = max(known, default=None)

    def as_dict(self, rate: float) -> dict[str, Any]:
        """As JSON, with what follows from it; a share of nothing is null.

        Args:
            rate: dollars for an hour of compute.
        """
        compute = (self.compute_seconds + self.sealed_seconds) / 3600 * rate
        total = self.model_dollars + compute
        points = self.best / POINT if self.best is not None and self.best > 0 else 0.0
        return {
            **vars(self),
            "calls": dict(self.calls),
            "compute_dollars": compute,
            "dollars": total,
            "dollars_per_hour": _share(total, self.hours),
            "dollars_per_submission": _share(total, self.submissions),
            "dollars_per_point": _share(total, points),
        }


def costs(store: Store, campaign: str, rate: float) -> dict[str, Any]:
    """The costs of a campaign so far, as JSON.

    Args:
        rate: dollars for an hour of compute.
    """
    with store.reading() as connection:
        plan = find_campaign(connection, campaign)
        found = _actors(connection, plan)
        models = _calls(connection, campaign, found)
        _compute(connection, campaign, found)
        _submissions(connection, campaign, found)
        roles = dict(_roles(connection, campaign))
    names = {cost.name: cost for cost in found.values()}
    for entry in leaderboard(store, campaign, Tier.SEALED):
        _credit(names[entry.author], entry.body)
    seated = [cost for actor, cost in found.items() if roles[actor] in RESEARCHERS]
    others = [cost for actor, cost in found.items() if roles[actor] not in RESEARCHERS]
    return {
        "campaign": campaign,
        "problem": plan.problem,
        "state": plan.state.value,
        "hours": searched(plan) / 3600,
        "compute_dollars_per_hour": rate,
        "total": _sum([*seated, *others]).as_dict(rate),
        "researchers": [cost.as_dict(rate) for cost in seated],
        "others": [cost.as_dict(rate) for cost in others if cost.calls],
        "models": models,
    }


def searched(campaign: Campaign) -> float:
    """Seconds for which its search was served, without the final."""
    return float(min(campaign.ran, campaign.config.get("seconds", campaign.ran)))


def _share(dollars: float, of: float) -> float | None:
    return dollars / of if of > 0 else None


def _sum(found: Iterable[Cost]) -> Cost:
    total = Cost("all")
    for cost in found:
        total.add(cost)
    return total


def _roles(connection: Connection, campaign: str) -> Iterable[tuple[str, Role]]:
    query = select(actors.c.id, actors.c.role).where(actors.c.campaign == campaign)
    return ((row.id, row.role) for row in connection.execute(query))


def _actors(connection: Connection, campaign: Campaign) -> dict[str, Cost]:
    """Everybody of the campaign by id; who is a researcher sat there all the time."""
    query = select(actors.c.id, actors.c.name, actors.c.role)
    rows = connection.execute(query.where(actors.c.campaign == campaign.id).order_by(actors.c.name))
    hours = searched(campaign) / 3600
    return {row.id: Cost(row.name, hours if row.role in RESEARCHERS else 0.0) for row in rows}


def _calls(
    connection: Connection, campaign: str, found: Mapping[str, Cost]
) -> list[dict[str, Any]]:
    """Add the model calls to whoever made them; returns them by model."""
    models: dict[str, dict[str, Any]] = defaultdict(lambda: {"dollars": 0.0, "tokens": 0.0})
    outcomes = _outcomes(connection, campaign)
    query = select(model_calls).where(model_calls.c.campaign == campaign)
    for row in connection.execute(query.order_by(model_calls.c.started)):
        cost = found[row.actor]
        cost.calls[outcomes.get(row.id, row.status.value)] += 1
        if row.status is CallStatus.OPEN:
            cost.reserved_dollars += row.dollars
            continue
        cost.model_dollars += row.dollars
        cost.tokens += row.tokens
        models[row.model]["dollars"] += row.dollars
        models[row.model]["tokens"] += row.tokens
    return [{"model": name, **sums} for name, sums in sorted(models.items())]


def _outcomes(connection: Connection, campaign: str) -> dict[str, str]:
    """Call → how it ended, in the word of whoever forwarded it."""
    query = select(ledger.c.payload).where(ledger.c.campaign == campaign)
    payloads = connection.scalars(query.where(ledger.c.kind == "model_call"))
    return {body["call"]: str(body["outcome"]) for body in map(json.loads, payloads)}


def _compute(connection: Connection, campaign: str, found: Mapping[str, Cost]) -> None:
    query = (
        select(submissions.c.actor, jobs.c.tier, func.sum(jobs.c.finished - jobs.c.started))
        .join(submissions, submissions.c.id == jobs.c.submission)
        .where(jobs.c.campaign == campaign, jobs.c.status.not_in(UNCHARGED))
        .group_by(submissions.c.actor, jobs.c.tier)
    )
    for actor, tier, seconds in connection.execute(query):
        if tier is Tier.SEALED:
            found[actor].sealed_seconds += float(seconds or 0.0)
        else:
            found[actor].compute_seconds += float(seconds or 0.0)


def _submissions(connection: Connection, campaign: str, found: Mapping[str, Cost]) -> None:
    query = select(submissions.c.actor, func.count()).where(submissions.c.campaign == campaign)
    for actor, number in connection.execute(query.group_by(submissions.c.actor)):
        found[actor].submissions = number


def _credit(cost: Cost, body: Mapping[str, Any]) -> None:
    pgr = body.get("pgr")
    if pgr is not None:
        cost.best = max(pgr["mean"], cost.best if cost.best is not None else pgr["mean"])
