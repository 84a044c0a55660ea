"""Scores: written once by the host, from which leaderboard and feedback are made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, insert, select

from aar_host.store.campaigns import find_campaign
from aar_host.store.database import Store
from aar_host.store.ending import finish
from aar_host.store.ledger import Event, append
from aar_host.store.schema import CampaignState, Tier, actors, jobs, ledger, scores, submissions
from aar_host.store.submissions import UNFINISHED, find_submission
from aar_lab.digest import digest_json
from aar_lab.errors import BadInput, Conflict
from aar_lab.types import JobStatus

BATCH = 1000  # a database takes only so many values in one question


@dataclass(frozen=True)
class Entry:
    """A scored submission. `body` is the whole score, which only the host may see."""

    submission: str
    author: str
    card: Mapping[str, Any]
    body: Mapping[str, Any]
    created: float
    finished: float


def record_score(store: Store, submission: str, tier: Tier, body: Mapping[str, Any]) -> None:
    """Write a score once; the public one ends its submission as done.

    Args:
        body: JSON without NaN or infinity; its meaning belongs to `aar_host.scoring`.

    Raises:
        BadInput: the body is no such JSON.
        Conflict: the submission has a score on this tier, or has ended without one; or the score
            is sealed and the campaign is not frozen.
    """
    try:
        digest = digest_json(body)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"score of {submission}", f"not JSON ({error})", "Write null for what is not finite."
        ) from error
    now = store.clock()
    with store.writing() as connection:
        found = find_submission(connection, submission)
        if connection.execute(_of(submission, tier)).first() is not None:
            raise Conflict(submission, f"has a {tier} score already", "Scores are written once.")
        if found.status not in (*UNFINISHED, JobStatus.DONE):
            raise Conflict(submission, f"ended as {found.status}", "Submit it anew.")
        state = find_campaign(connection, found.campaign).state
        if tier == Tier.SEALED and state is not CampaignState.FROZEN:
            raise Conflict(
                f"campaign {found.campaign} is {state}",
                "the sealed part is opened once, while the campaign is frozen",
                "Freeze the campaign first.",
            )
        connection.execute(insert(scores).values(submission=submission, tier=tier, body=body))
        if tier == Tier.PUBLIC:
            finish(connection, submission, JobStatus.DONE, now)
        payload = {"submission": submission, "tier": tier, "score": digest}
        append(connection, now, Event(found.campaign, "score_recorded", payload))


def unscored(store: Store, campaign: str) -> list[tuple[str, Tier]]:
    """Submissions without a score on a tier where all their jobs have ended, and well if sealed.

    Of one campaign. Whoever ended the last job should have settled them; here is what was left
    when it died.
    """
    ended = case((jobs.c.status.in_(list(UNFINISHED)), 1), else_=0)
    failed = case((jobs.c.status != JobStatus.DONE, 1), else_=0)
    query = (
        select(jobs.c.submission, jobs.c.tier)
        .join(submissions, submissions.c.id == jobs.c.submission)
        .outerjoin(
            scores, (scores.c.submission == jobs.c.submission) & (scores.c.tier == jobs.c.tier)
        )
        .where(jobs.c.campaign == campaign, scores.c.submission.is_(None))
        .where(submissions.c.status.in_([*UNFINISHED, JobStatus.DONE]))
        .group_by(jobs.c.submission, jobs.c.tier)
        .having(func.sum(ended) == 0)
        .having((jobs.c.tier == Tier.PUBLIC) | (func.sum(failed) == 0))
    )
    with store.reading() as connection:
        return [(row.submission, row.tier) for row in connection.execute(query)]


def scores_of(
    store: Store, names: Iterable[str], tier: Tier = Tier.PUBLIC
) -> dict[str, Mapping[str, Any]]:
    """The score bodies of those submissions that have one on the tier, by submission."""
    query = select(scores).where(scores.c.submission.in_(list(names)), scores.c.tier == tier)
    with store.reading() as connection:
        return {row.submission: row.body for row in connection.execute(query)}


def leaderboard(store: Store, campaign: str, tier: Tier = Tier.PUBLIC) -> list[Entry]:
    """All scored submissions of a campaign in the order in which they were handed in."""
    query = _entries(tier).where(submissions.c.campaign == campaign)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(submissions.c.created, submissions.c.id))
        return [Entry(**row._mapping) for row in rows]


def scored_since(store: Store, campaign: str, since: int) -> tuple[list[Entry], int]:
    """The submissions with a public score that was recorded after this place in the ledger, and
    the place up to which that is all."""
    query = select(ledger.c.seq, ledger.c.kind, ledger.c.payload)
    query = query.where(ledger.c.campaign == campaign, ledger.c.seq > since)
    with store.reading() as connection:
        news = connection.execute(query.order_by(ledger.c.seq)).all()
        told = [json.loads(row.payload) for row in news if row.kind == "score_recorded"]
        names = [body["submission"] for body in told if body["tier"] == Tier.PUBLIC]
        found = []
        for start in range(0, len(names), BATCH):
            asked = _entries(Tier.PUBLIC).where(submissions.c.id.in_(names[start : start + BATCH]))
            found += [Entry(**row._mapping) for row in connection.execute(asked)]
    return found, news[-1].seq if news else since


def _entries(tier: Tier) -> Select[Any]:
    return (
        select(
            scores.c.submission,
            actors.c.name.label("author"),
            submissions.c.card,
            scores.c.body,
            submissions.c.created,
            submissions.c.finished,
        )
        .join(submissions, submissions.c.id == scores.c.submission)
        .join(actors, actors.c.id == submissions.c.actor)
        .where(scores.c.tier == tier)
    )


def _of(submission: str, tier: Tier) -> Any:
    return select(scores.c.submission).where(
        scores.c.submission == submission, scores.c.tier == tier
    )
