"""Reviews: what a monitor says of a method before it is trained, once, bound to its digest.

Where the campaign's config says `"review": "required"`, no job of a method is handed out before the
method has passed. Nothing else opens it: no answer, a late one or a broken one leaves it closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, insert, select

from aar_host.store.campaigns import find_campaign
from aar_host.store.database import Store
from aar_host.store.evidence import Evidence, compare, only
from aar_host.store.ledger import Event, append
from aar_host.store.schema import ReviewVerdict, jobs, methods, reviews, submissions
from aar_lab.digest import digest_json
from aar_lab.errors import UnknownName
from aar_lab.types import JobStatus

REQUIRED, ADVISORY = "required", "advisory"
RECORDED = "review_recorded"


@dataclass(frozen=True)
class Review:
    """What was said of a method in a campaign; `body` is JSON."""

    campaign: str
    method_digest: str
    verdict: ReviewVerdict
    body: Mapping[str, Any]
    created: float


@dataclass(frozen=True)
class Unreviewed:
    """A submission whose method waits for its review."""

    submission: str
    method_digest: str
    source: str
    card: Mapping[str, Any]


def record_review(store: Store, campaign: str, method: str, review: Mapping[str, Any]) -> Review:
    """Write what a monitor said of a method; what was written first stays, and is returned.

    Args:
        method: the digest of a source that was handed in in this campaign.
        review: JSON without NaN; `review["verdict"]` is a `ReviewVerdict`, and `FAIL` is whatever
            is not exactly `PASS`.

    Raises:
        UnknownName: nobody handed in that method here.
    """
    passed = review.get("verdict") == ReviewVerdict.PASS
    verdict = ReviewVerdict.PASS if passed else ReviewVerdict.FAIL
    now = store.clock()
    with store.writing() as connection:
        present = _find(connection, campaign, method)
        if present is not None:
            return present
        of_it = and_(submissions.c.campaign == campaign, submissions.c.method_digest == method)
        found = connection.execute(select(submissions.c.id, submissions.c.card).where(of_it))
        row = found.first()
        if row is None:
            raise UnknownName(method, "nobody handed in this method here", "Give its digest.")
        made = Review(campaign, method, verdict, dict(review), now)
        connection.execute(insert(reviews).values(**vars(made)))
        payload = {"submission": row.id, "method": method, "card": digest_json(row.card)}
        payload |= {"verdict": verdict, "review": digest_json(dict(review))}
        append(connection, now, Event(campaign, RECORDED, payload))
    return made


def find_review(store: Store, campaign: str, method: str) -> Review | None:
    """The review of a method, or None while there is none."""
    with store.reading() as connection:
        return _find(connection, campaign, method)


def list_reviews(store: Store, campaign: str) -> list[Review]:
    """All reviews of a campaign, oldest first."""
    query = select(reviews).where(reviews.c.campaign == campaign)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(reviews.c.created, reviews.c.method_digest))
        return [Review(**row._mapping) for row in rows]


def unreviewed(store: Store, campaign: str) -> list[Unreviewed]:
    """The submissions that have not ended and whose methods have no review, oldest first."""
    query = _unfinished(campaign, submissions.c.method_digest, methods.c.source, submissions.c.card)
    query = query.join(methods, methods.c.digest == submissions.c.method_digest)
    with store.reading() as connection:
        rows = connection.execute(query.where(reviews.c.verdict.is_(None)))
        return [Unreviewed(**row._mapping) for row in rows]


def failing(store: Store, campaign: str) -> list[tuple[str, Review]]:
    """The submissions that have not ended although their methods failed their review."""
    query = _unfinished(campaign, *reviews.c)
    with store.reading() as connection:
        rows = connection.execute(query.where(reviews.c.verdict == ReviewVerdict.FAIL)).all()
    return [(row[0], Review(*row[1:])) for row in rows]


def reviews_proof(evidence: Evidence) -> tuple[str, list[str]]:
    """That the reviews are as they were written, and, where required, that nothing else ran."""
    rows = evidence.rows(reviews)
    names = ("verdict", "review")
    told = {e.payload.get("method"): only(e.payload, names) for e in evidence.of(RECORDED)}
    stored: dict[Any, dict[str, Any]] = {
        row.method_digest: {"verdict": row.verdict, "review": digest_json(row.body)} for row in rows
    }
    faults = compare("review", told, stored)
    if find_campaign(evidence.connection, evidence.campaign).config.get("review") == REQUIRED:
        methods_of = {row.id: row.method_digest for row in evidence.rows(submissions)}
        ran = {e.payload.get("submission") for e in evidence.of("job_finished")}
        faults += [
            f"submission {name} was trained, and its method has not passed its review"
            for name in sorted(map(str, ran))
            if told.get(methods_of.get(name), {}).get("verdict") != ReviewVerdict.PASS
        ]
    return f"{len(rows)} reviews", faults


def only_reviewed(connection: Connection, campaign: str, query: Select[Any]) -> Select[Any]:
    """A query of jobs, where reviews are required only those of methods that passed theirs."""
    if find_campaign(connection, campaign).config.get("review") != REQUIRED:
        return query
    passed = (
        select(submissions.c.id)
        .join(reviews, _same_method())
        .where(submissions.c.campaign == campaign, reviews.c.verdict == ReviewVerdict.PASS)
    )
    return query.where(jobs.c.submission.in_(passed))


def _unfinished(campaign: str, *columns: Any) -> Select[Any]:
    waiting = submissions.c.status.in_([JobStatus.QUEUED, JobStatus.RUNNING])
    return (
        select(submissions.c.id.label("submission"), *columns)
        .select_from(submissions.outerjoin(reviews, _same_method()))
        .where(submissions.c.campaign == campaign, waiting)
        .order_by(submissions.c.created, submissions.c.id)
    )


def _same_method() -> Any:
    return and_(
        reviews.c.campaign == submissions.c.campaign,
        reviews.c.method_digest == submissions.c.method_digest,
    )


def _find(connection: Connection, campaign: str, method: str) -> Review | None:
    row = connection.execute(
        select(reviews).where(reviews.c.campaign == campaign, reviews.c.method_digest == method)
    ).first()
    return Review(**row._mapping) if row is not None else None
