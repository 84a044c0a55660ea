"""Submissions: accepted with everything they need in one transaction, and never lost after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from aar_host.store.campaigns import Campaign, charge, find_campaign
from aar_host.store.database import Store, new_id
from aar_host.store.ending import fail
from aar_host.store.jobs import insert_jobs
from aar_host.store.ledger import Event, append
from aar_host.store.schema import CampaignState, SubmissionKind, Tier, actors, methods, submissions
from aar_host.store.spending import check_left, telling
from aar_lab.cards import MethodCard
from aar_lab.digest import digest_json, digest_text
from aar_lab.errors import BadInput, Conflict, LabError, OverBudget, UnknownName
from aar_lab.types import JobStatus

MAX_BUILDS_ON = 16
DAY = 24 * 3600.0
UNFINISHED = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})


@dataclass(frozen=True)
class Draft:
    """What a researcher hands in: source text (checked already), card, ids it builds on."""

    source: str
    card: MethodCard
    builds_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """A submission as stored; `author` is the actor's name, `card` the method card as JSON."""

    id: str
    campaign: str
    actor: str
    author: str
    kind: SubmissionKind
    content: str
    method_digest: str | None
    answers_as: str | None
    card: Mapping[str, Any]
    builds_on: Sequence[str]
    status: JobStatus
    error: Mapping[str, str] | None
    created: float
    finished: float | None


def add_submission(store: Store, campaign: str, actor: str, draft: Draft) -> str:
    """Accept a submission: method, submission, one queued job per public seed, ledger entry.

    The entry binds the card's digest to the method's, so that no card can be written afterwards.
    Whoever lost the answer may ask again: the same draft by the same actor is the same submission.

    Returns:
        The id of the submission, which is new unless the actor handed in this very draft before.

    Raises:
        Conflict: the campaign is not open, or the same source was handed in before by another
            actor, with another card or with other ancestors.
        OverBudget: the campaign's pool of submissions is used up.
        BadInput: `builds_on` names a submission that this campaign does not have.
    """
    digest, submission, now = digest_text(draft.source), new_id(), store.clock()
    with store.writing() as connection:
        plan = find_campaign(connection, campaign)
        earlier = _earlier(connection, campaign, digest)
        if earlier is not None:
            return _same(earlier, actor, draft, sharing(plan))
        check_open(plan)
        check_known(connection, plan, actor, draft.builds_on)
        check_budget(connection, plan, actor, now)
        with telling(connection, plan, actor, ["submissions"], now):
            charge(connection, campaign)
            key = {"id": submission, "campaign": campaign, "actor": actor}
            _insert(connection, key, draft, now)
        owner = (campaign, submission)
        insert_jobs(connection, owner, Tier.PUBLIC, range(plan.config["seeds"]), now)
        payload = {
            "submission": submission,
            "method": digest,
            "card": digest_json(draft.card.as_dict()),
            "builds_on": list(draft.builds_on),
        }
        append(connection, now, Event(campaign, "submission_accepted", payload, actor))
    return submission


def get_submission(store: Store, submission: str) -> Submission:
    """The submission of that id, or `UnknownName`."""
    with store.reading() as connection:
        return find_submission(connection, submission)


def find_submission(connection: Connection, submission: str) -> Submission:
    """As `get_submission`, within a transaction."""
    row = connection.execute(_query().where(submissions.c.id == submission)).first()
    if row is None:
        raise UnknownName(submission, "there is no such submission", "See `lab scores`.")
    return Submission(**row._mapping)


def status_of(store: Store, submission: str) -> JobStatus:
    """How the submission stands: the cheapest question, for polling. `UnknownName` if absent."""
    query = select(submissions.c.status).where(submissions.c.id == submission)
    with store.reading() as connection:
        status: JobStatus | None = connection.execute(query).scalar_one_or_none()
    if status is None:
        raise UnknownName(submission, "there is no such submission", "See `lab scores`.")
    return status


def list_submissions(store: Store, campaign: str, actor: str | None = None) -> list[Submission]:
    """The submissions of a campaign, or of one actor in it, oldest first."""
    query = _query().where(submissions.c.campaign == campaign)
    if actor is not None:
        query = query.where(submissions.c.actor == actor)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(submissions.c.created, submissions.c.id))
        return [Submission(**row._mapping) for row in rows]


def method_source(store: Store, submission: str) -> str:
    """The source text of a submission's method; `UnknownName` if there is no such submission."""
    query = (
        select(methods.c.source)
        .join(submissions, submissions.c.method_digest == methods.c.digest)
        .where(submissions.c.id == submission)
    )
    with store.reading() as connection:
        source: str | None = connection.execute(query).scalar_one_or_none()
    if source is None:
        raise UnknownName(submission, "there is no such submission", "See `lab leaderboard`.")
    return source


def fail_submission(store: Store, submission: str, status: JobStatus, error: LabError) -> bool:
    """End a submission without a score; its queued jobs are cancelled, its charge stays.

    Returns:
        False, and nothing is changed, if it had ended before: the first failure is kept.
    """
    with store.writing() as connection:
        found = find_submission(connection, submission)
        if found.status not in UNFINISHED:
            return False
        fail(connection, submission, status, store.clock(), error)
    return True


def sharing(campaign: Campaign) -> bool:
    """Whether its researchers see what others found and handed in."""
    return bool(campaign.config.get("sharing", True))


def check_known(
    connection: Connection, campaign: Campaign, actor: str, names: Sequence[str]
) -> None:
    """`BadInput` unless every name is a submission of the campaign, given once, and few enough.

    Where nothing is shared, those of others are not known.
    """
    if len(names) > MAX_BUILDS_ON or len(set(names)) != len(names):
        raise BadInput(
            f"{len(names)} submissions",
            f"name at most {MAX_BUILDS_ON}, each once",
            "Name the most important ones.",
        )
    if not names:
        return
    query = select(submissions.c.id).where(
        submissions.c.campaign == campaign.id, submissions.c.id.in_(names)
    )
    if not sharing(campaign):
        query = query.where(submissions.c.actor == actor)
    known = set(connection.scalars(query))
    for name in names:
        if name not in known:
            raise BadInput(
                name, "this campaign has no such submission", "See `lab leaderboard` for ids."
            )


def check_open(campaign: Campaign) -> None:
    """`OverBudget` if the campaign's time is over, `Conflict` if it takes no more submissions."""
    seconds = campaign.config.get("seconds")
    if seconds is not None and campaign.ran > seconds:
        raise OverBudget(
            f"{seconds} s", "the campaign's time is over", "Post what you learnt as a finding."
        )
    if campaign.state is not CampaignState.OPEN:
        raise Conflict(
            campaign.state, "the campaign takes no more submissions", "Only findings are taken now."
        )


def check_budget(connection: Connection, campaign: Campaign, actor: str, now: float) -> None:
    """`OverBudget` if the pool is used up, or the actor has no more submissions, in all or today.

    So too if nothing is left of a budget's submissions or compute. Counted is what was charged,
    whether it was accepted or refused; a day is the last 24 hours.
    """
    check_left(connection, campaign, actor, ("submissions", "compute_seconds"))
    cap = campaign.config["max_submissions"]
    if campaign.charged >= cap:
        raise OverBudget(
            f"{campaign.charged} submissions",
            f"the campaign's pool of {cap} is used up",
            "Post what you learnt as a finding.",
        )
    own = select(func.count()).where(
        submissions.c.campaign == campaign.id, submissions.c.actor == actor
    )
    today = own.where(submissions.c.created > now - DAY)
    for name, query, span in (("max_each", own, "in all"), ("max_daily", today, "in 24 hours")):
        most = campaign.config.get(name)
        if most is None:
            continue
        used = connection.execute(query).scalar_one()
        if used >= most:
            raise OverBudget(
                f"{used} submissions {span}",
                f"each researcher has {most}",
                "Post what you learnt as a finding.",
            )


def _insert(connection: Connection, key: Mapping[str, str], draft: Draft, now: float) -> None:
    digest = digest_text(draft.source)
    if connection.execute(select(methods).where(methods.c.digest == digest)).first() is None:
        connection.execute(insert(methods).values(digest=digest, source=draft.source))
    connection.execute(
        insert(submissions).values(
            **key,
            kind=SubmissionKind.METHOD,
            content=digest,
            method_digest=digest,
            card=draft.card.as_dict(),
            builds_on=list(draft.builds_on),
            status=JobStatus.QUEUED,
            created=now,
        )
    )


def _query() -> Select[Any]:
    return select(submissions, actors.c.name.label("author")).join(
        actors, actors.c.id == submissions.c.actor
    )


def _earlier(connection: Connection, campaign: str, digest: str) -> Row[Any] | None:
    return connection.execute(
        select(submissions).where(
            submissions.c.campaign == campaign, submissions.c.method_digest == digest
        )
    ).first()


def _same(earlier: Row[Any], actor: str, draft: Draft, shared: bool) -> str:
    """Its id if the actor handed in this very draft; else `Conflict`, which names it if it may."""
    if earlier.actor != actor and not shared:
        raise Conflict("source", "this very source cannot be taken", "Hand in another method.")
    found = (earlier.actor, earlier.card, earlier.builds_on)
    if found != (actor, draft.card.as_dict(), list(draft.builds_on)):
        raise Conflict(
            earlier.id, "this very source was submitted before", f"See `lab scores {earlier.id}`."
        )
    return str(earlier.id)
