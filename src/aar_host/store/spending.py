"""What is used of the budgets: by one researcher and by all together.

A model call is admitted before it is made and settled after. Admitted it reserves the most that it
can cost, so that calls made at once cannot pass a limit together: a budget is held to within one
call. What a killed host left open is charged as it was reserved, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from aar_host.budgets import RESOURCES, Budgets, passed
from aar_host.store.campaigns import Campaign, find_campaign
from aar_host.store.database import Store, new_id
from aar_host.store.ledger import Event, append
from aar_host.store.schema import (
    CallStatus,
    Tier,
    actors,
    campaigns,
    jobs,
    model_calls,
    submissions,
)
from aar_lab.errors import BadInput, Conflict, OverBudget, UnknownName
from aar_lab.types import RESEARCHERS, JobStatus

REMEDY = "Post what you learnt as a finding."
# Jobs that ran to an end of their own: what a lost worker took is no researcher's doing.
UNCHARGED = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLED, JobStatus.LOST)


@dataclass(frozen=True)
class Spent:
    """What is used, in the units of `aar_host.budgets.Budget`; calls under way are not in it."""

    dollars: float = 0.0
    tokens: float = 0.0
    compute_seconds: float = 0.0
    submissions: float = 0.0


@dataclass(frozen=True)
class CallDraft:
    """A model call before it is made.

    Args:
        model: its name in the price table.
        request: digest of what is asked.
        dollars, tokens: the most that it can cost.
    """

    model: str
    request: str
    dollars: float
    tokens: float


@dataclass(frozen=True)
class Bill:
    """How a model call ended and what it cost.

    Args:
        status: a final one.
        outcome: in one word, for the ledger.
        dollars, tokens: used; None: nobody knows, so that what was reserved is charged.
        usage: tokens by kind, as the provider reported them.
    """

    status: CallStatus
    outcome: str
    dollars: float | None = None
    tokens: float | None = None
    usage: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if self.status is CallStatus.OPEN:
            raise BadInput(self.status, "a bill is of a call that has ended", "Give its end.")


def admit_call(store: Store, campaign: str, actor: str, draft: CallDraft) -> str:
    """Reserve the cost of a call, for the actor and for the pool; returns the call's id.

    Raises:
        OverBudget: a limit is reached; the resource is named.
        Conflict: a limit would be, if the calls under way cost all that they have reserved.
    """
    call, now = new_id(), store.clock()
    with store.writing() as connection:
        plan = find_campaign(connection, campaign)
        check_left(connection, plan, actor, _binding(connection, actor))
        _check_reserved(connection, plan, actor)
        row = {"id": call, "campaign": campaign, "actor": actor, **vars(draft)}
        connection.execute(
            insert(model_calls).values(**row, status=CallStatus.OPEN, usage={}, started=now)
        )
    return call


def settle_call(store: Store, call: str, bill: Bill) -> bool:
    """Replace a call's reservation by its cost, with an event, in one transaction.

    Returns:
        False, and nothing is changed, if it was settled before.
    """
    with store.writing() as connection:
        row = connection.execute(select(model_calls).where(model_calls.c.id == call)).first()
        if row is None:
            raise UnknownName(call, "there is no such call", "Give a call's id.")
        return _settle(connection, row, bill, store.clock())


def settle_lost(store: Store, campaign: str) -> int:
    """Charge the calls that a killed host left open, as they were reserved; returns how many.

    For whoever holds the campaign, before its seats are opened: calls under way would be lost too.
    """
    lost = Bill(CallStatus.LOST, "lost")
    query = select(model_calls).where(
        model_calls.c.campaign == campaign, model_calls.c.status == CallStatus.OPEN
    )
    with store.writing() as connection:
        rows = connection.execute(query.order_by(model_calls.c.started, model_calls.c.id)).all()
        return sum(_settle(connection, row, lost, store.clock()) for row in rows)


def spent(store: Store, campaign: str, actor: str | None = None) -> Spent:
    """What an actor has used, or all together."""
    with store.reading() as connection:
        plan = find_campaign(connection, campaign)
        names = ("dollars", "tokens", "compute_seconds", "submissions")
        return Spent(**{name: used(connection, plan, actor, name) for name in names})


def limits(store: Store, campaign: str, actor: str) -> list[dict[str, Any]]:
    """What an actor has left: {"whose": "you" or "all", "resource", "used", "limit"} for each
    limit of its own and of the pool."""
    with store.reading() as connection:
        plan = find_campaign(connection, campaign)
        return [
            {
                "whose": "all" if whose is None else "you",
                "resource": resource,
                "used": used(connection, plan, whose, resource),
                "limit": limit,
            }
            for whose, limit, resource in _limits(connection, plan, actor, RESOURCES)
        ]


def used(connection: Connection, campaign: Campaign, actor: str | None, resource: str) -> float:
    """What is used of one resource, by an actor or (None) by all, within a transaction."""
    if resource == "wall_seconds":
        return campaign.ran
    if resource == "submissions" and actor is None:
        query = select(campaigns.c.charged).where(campaigns.c.id == campaign.id)
        return _scalar(connection, query)
    if resource == "submissions":
        query = select(func.count()).select_from(submissions)
        return _scalar(connection, query.where(*_whose(submissions, campaign.id, actor)))
    if resource == "compute_seconds":
        query = (
            select(func.sum(jobs.c.finished - jobs.c.started))
            .join(submissions, submissions.c.id == jobs.c.submission)
            .where(jobs.c.tier == Tier.PUBLIC, jobs.c.status.not_in(UNCHARGED))
        )
        return _scalar(connection, query.where(*_whose(submissions, campaign.id, actor)))
    query = select(func.sum(model_calls.c[resource]))
    mine = _whose(model_calls, campaign.id, actor)
    return _scalar(connection, query.where(*mine, model_calls.c.status != CallStatus.OPEN))


def check_left(
    connection: Connection, campaign: Campaign, actor: str, resources: Iterable[str]
) -> None:
    """`OverBudget` if the actor or the pool has used up one of the resources."""
    for whose, limit, resource in _limits(connection, campaign, actor, resources):
        value = used(connection, campaign, whose, resource)
        if value >= limit:
            owner = "the campaign's pool" if whose is None else "this researcher's budget"
            raise OverBudget(
                f"{resource} {value:.6g}", f"{owner} of {limit:.6g} is used up", REMEDY
            )


@contextmanager
def telling(
    connection: Connection, campaign: Campaign, actor: str, resources: Iterable[str], now: float
) -> Iterator[None]:
    """An event for each mark of a limit that is passed by what is written meanwhile."""
    watched = [
        (whose, resource, used(connection, campaign, whose, resource))
        for whose, _, resource in _limits(connection, campaign, actor, resources)
    ]
    yield
    for whose, resource, before in watched:
        after = used(connection, campaign, whose, resource)
        tell_marks(connection, (campaign, whose), resource, (before, after), now)


def tell_marks(
    connection: Connection,
    whose: tuple[Campaign, str | None],
    resource: str,
    span: tuple[float, float],
    now: float,
) -> None:
    """An event for each mark of a limit that is passed by going from one use of it to another.

    Args:
        whose: the campaign, and the id of an actor in it or None for the pool.
    """
    campaign, actor = whose
    name = None if actor is None else _name(connection, actor)
    limit = getattr(budgets_of(campaign).of(name), resource)
    for mark in passed(limit, *span):
        payload = {"researcher": name, "resource": resource, "share": mark}
        payload |= {"used": span[1], "limit": limit}
        append(connection, now, Event(campaign.id, "budget_warning", payload, actor))


def budgets_of(campaign: Campaign) -> Budgets:
    """The budgets that a campaign was started with."""
    return Budgets.from_dict(campaign.config.get("budgets", {}))


def _settle(connection: Connection, row: Row[Any], bill: Bill, now: float) -> bool:
    if row.status is not CallStatus.OPEN:
        return False
    ended = {
        "dollars": row.dollars if bill.dollars is None else bill.dollars,
        "tokens": row.tokens if bill.tokens is None else bill.tokens,
        "usage": dict(bill.usage or {}),
        "seconds": max(now - row.started, 0.0),
    }
    payload = {"call": row.id, "researcher": _name(connection, row.actor), "model": row.model}
    payload |= {"request": row.request, "outcome": bill.outcome, "status": bill.status, **ended}
    this = model_calls.c.id == row.id
    plan = find_campaign(connection, row.campaign)
    with telling(connection, plan, row.actor, ("dollars", "tokens"), now):
        connection.execute(update(model_calls).where(this).values(status=bill.status, **ended))
        append(connection, now, Event(row.campaign, "model_call", payload, row.actor))
    return True


def _check_reserved(connection: Connection, campaign: Campaign, actor: str) -> None:
    for whose, limit, resource in _limits(connection, campaign, actor, ("dollars", "tokens")):
        query = select(func.sum(model_calls.c[resource]))
        query = query.where(*_whose(model_calls, campaign.id, whose))
        if _scalar(connection, query) >= limit:
            raise Conflict(
                resource, "calls under way have reserved what is left", "Wait until they end."
            )


def _limits(
    connection: Connection, campaign: Campaign, actor: str, resources: Iterable[str]
) -> list[tuple[str | None, float, str]]:
    """(actor or None, limit, resource) for every limit that there is."""
    budgets, name = budgets_of(campaign), _name(connection, actor)
    found = [
        (whose, getattr(budgets.of(name if whose else None), resource), resource)
        for resource in resources
        for whose in (actor, None)
    ]
    return [(whose, limit, resource) for whose, limit, resource in found if limit is not None]


def _binding(connection: Connection, actor: str) -> tuple[str, ...]:
    """What a call is held to. Time binds who researches; a judge may read when it is over."""
    role = connection.execute(select(actors.c.role).where(actors.c.id == actor)).scalar_one()
    return ("dollars", "tokens", *(["wall_seconds"] if role in RESEARCHERS else []))


def _name(connection: Connection, actor: str) -> str:
    found: str = connection.execute(select(actors.c.name).where(actors.c.id == actor)).scalar_one()
    return found


def _whose(table: Any, campaign: str, actor: str | None) -> list[ColumnElement[bool]]:
    mine = [] if actor is None else [table.c.actor == actor]
    return [table.c.campaign == campaign, *mine]


def _scalar(connection: Connection, query: Any) -> float:
    return float(connection.execute(query).scalar_one() or 0.0)
