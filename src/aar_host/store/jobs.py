"""Jobs: one seed of one submission on one tier, durable, leased to a worker while it runs.

A job is known by (submission, tier, seed index), its natural idempotency key: asking for one twice
makes no second job, and its predictions are stored under that key, once. An attempt is used up when
the worker is lost; a job that used up all of them is a dead letter, with the status lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, insert, select, update

from aar_host.settings import number
from aar_host.store.campaigns import find_campaign
from aar_host.store.database import Store, new_id
from aar_host.store.ending import cut_overspent
from aar_host.store.ledger import Event, append
from aar_host.store.predictions import Predicted, insert_predictions
from aar_host.store.reviews import only_reviewed
from aar_host.store.schema import Tier, jobs, submissions
from aar_host.store.spending import telling
from aar_lab.digest import digest_json
from aar_lab.errors import BadInput, Conflict, LabError, UnknownName
from aar_lab.types import JobStatus

MAX_LOG = 16_384


@dataclass(frozen=True)
class Job:
    """A job as stored.

    Args:
        attempts: how often its worker was lost, in 0…`job_attempts`.
        worker, leased_until: who runs it, and until when it must have ended.
        seconds: {train, predict, box, total} of the last run, or None.
        log: the last `MAX_LOG` characters that it wrote.
    """

    id: str
    campaign: str
    submission: str
    tier: Tier
    seed_index: int
    status: JobStatus
    attempts: int
    queued: float
    worker: str | None
    leased_until: float | None
    started: float | None
    finished: float | None
    seconds: Mapping[str, float] | None
    log: str
    error: Mapping[str, str] | None


@dataclass(frozen=True)
class Outcome:
    """How a run ended: with predictions (status done), or with a status that says why not."""

    status: JobStatus
    predicted: Predicted | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    log: str = ""
    error: LabError | None = None

    def __post_init__(self) -> None:
        final = self.status not in (JobStatus.QUEUED, JobStatus.RUNNING)
        if not final or (self.status is JobStatus.DONE) != (self.predicted is not None):
            raise BadInput(
                self.status, "does not fit the predictions", "Give predictions exactly if done."
            )


def insert_jobs(
    connection: Connection, owner: tuple[str, str], tier: Tier, seeds: Iterable[int], now: float
) -> None:
    """Queue one job per seed index within a transaction; `owner` is (campaign, submission)."""
    campaign, submission = owner
    for seed in seeds:
        connection.execute(
            insert(jobs).values(
                id=new_id(),
                campaign=campaign,
                submission=submission,
                tier=tier,
                seed_index=seed,
                status=JobStatus.QUEUED,
                attempts=0,
                queued=now,
                log="",
            )
        )


def queue_jobs(store: Store, submission: str, tier: Tier, seeds: Iterable[int]) -> None:
    """Queue one job per seed index that has none yet; asking twice changes nothing."""
    with store.writing() as connection:
        campaign = connection.execute(
            select(submissions.c.campaign).where(submissions.c.id == submission)
        ).scalar_one_or_none()
        if campaign is None:
            raise UnknownName(submission, "there is no such submission", "Give a submission's id.")
        query = select(jobs.c.seed_index).where(
            jobs.c.submission == submission, jobs.c.tier == tier
        )
        new = sorted(set(seeds) - set(connection.scalars(query)))
        if new:
            now = store.clock()
            insert_jobs(connection, (campaign, submission), tier, new, now)
            payload = {"submission": submission, "tier": tier, "seeds": new}
            append(connection, now, Event(campaign, "jobs_queued", payload))


def claim_job(
    store: Store, campaign: str, worker: str, lease_seconds: float, submission: str | None = None
) -> Job | None:
    """Take the campaign's job that waits longest, or None. No two workers ever get the same one.

    Jobs of submissions that no worker is busy with come first, since the seeds of a submission
    share a box; with `submission` only its jobs are taken. Those whose author or campaign has used
    up its compute are cancelled instead.
    """
    now = store.clock()
    with store.writing() as connection:
        waiting = _waiting(connection, campaign, submission)
        while waiting is not None and cut_overspent(connection, waiting.id, now):
            waiting = _waiting(connection, campaign, submission)
        if waiting is None:
            return None
        lease = {"worker": worker, "leased_until": now + lease_seconds, "started": now}
        connection.execute(
            update(jobs).where(jobs.c.id == waiting.id).values(status=JobStatus.RUNNING, **lease)
        )
        connection.execute(
            update(submissions)
            .where(submissions.c.id == waiting.submission)
            .where(submissions.c.status == JobStatus.QUEUED)
            .values(status=JobStatus.RUNNING)
        )
        return find_job(connection, waiting.id)


def _waiting(connection: Connection, campaign: str, submission: str | None) -> Row[Any] | None:
    """The queued job that is next; see `claim_job`."""
    query: Select[Any] = select(jobs.c.id, jobs.c.submission).where(
        jobs.c.campaign == campaign, jobs.c.status == JobStatus.QUEUED
    )
    if submission is not None:
        query = query.where(jobs.c.submission == submission)
    query = only_reviewed(connection, campaign, query)
    running = select(jobs.c.submission).where(
        jobs.c.campaign == campaign, jobs.c.status == JobStatus.RUNNING
    )
    busy = case((jobs.c.submission.in_(running), 1), else_=0)
    order = (busy, jobs.c.queued, jobs.c.seed_index, jobs.c.id)
    return connection.execute(query.order_by(*order).limit(1)).first()


def requeue_lost(
    store: Store,
    campaign: str,
    worker: str | None = None,
    *,
    everyone: bool = False,
    counted: bool = True,
) -> list[Job]:
    """Put jobs of a campaign whose lease has expired back into the queue, or end them as lost.

    Args:
        worker: one that is known to be dead; its leases count as expired, and no other's do.
        everyone: no worker of the campaign lives: all leases count as expired.
        counted: whether this uses up an attempt; not where the whole fleet was ended.

    Returns:
        The jobs that were changed; one whose worker was lost `job_attempts` times is LOST.
    """
    now, most = store.clock(), number("job_attempts")
    query = select(jobs).where(jobs.c.campaign == campaign, jobs.c.status == JobStatus.RUNNING)
    if worker is not None:
        query = query.where(jobs.c.worker == worker)
    elif not everyone:
        query = query.where(jobs.c.leased_until < now)
    with store.writing() as connection:
        expired = connection.execute(query).all()
        for row in expired:
            attempts = row.attempts + counted
            lost = attempts >= most
            status = JobStatus.LOST if lost else JobStatus.QUEUED
            ending = {"status": status, "attempts": attempts, "finished": now if lost else None}
            connection.execute(
                update(jobs)
                .where(jobs.c.id == row.id)
                .values(worker=None, leased_until=None, **ending)
            )
            payload = {"job": row.id, "worker": row.worker, "status": status}
            append(connection, now, Event(campaign, "worker_lost", payload))
        return [find_job(connection, row.id) for row in expired]


def finish_job(store: Store, job: Job, outcome: Outcome) -> None:
    """Store how a run ended, with its predictions, in one transaction.

    Raises:
        Conflict: the lease is no longer the worker's; its result is not wanted any more.
    """
    now = store.clock()
    with store.writing() as connection:
        present = find_job(connection, job.id)
        lease = (present.status, present.worker, present.attempts)
        if lease != (JobStatus.RUNNING, job.worker, job.attempts):
            raise Conflict(
                job.id, f"the job is {present.status} and not yours", "Drop this result."
            )
        ended = {
            "status": outcome.status,
            "finished": now,
            "leased_until": None,
            "seconds": dict(outcome.seconds),
            "log": outcome.log[-MAX_LOG:],
            "error": outcome.error.as_dict() if outcome.error else None,
        }
        _end(connection, job, ended, now)
        payload: dict[str, Any] = {"job": job.id, "status": outcome.status}
        payload |= {"submission": job.submission, "tier": job.tier, "seed": job.seed_index}
        if outcome.predicted is not None:
            key = (job.submission, job.tier, job.seed_index)
            payload["predictions"] = insert_predictions(connection, key, outcome.predicted)
            payload["recipe"] = digest_json(outcome.predicted.recipe.as_dict())
        append(connection, now, Event(job.campaign, "job_finished", payload))


def _end(connection: Connection, job: Job, ended: Mapping[str, Any], now: float) -> None:
    """Store the end of a job, telling the marks of its author's and the pool's compute."""
    author = select(submissions.c.actor).where(submissions.c.id == job.submission)
    actor = connection.execute(author).scalar_one()
    plan = find_campaign(connection, job.campaign)
    with telling(connection, plan, actor, ["compute_seconds"], now):
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(**ended))


def jobs_of(store: Store, submission: str, tier: Tier) -> list[Job]:
    """The jobs of a submission on a tier, by seed index."""
    query = select(jobs).where(jobs.c.submission == submission, jobs.c.tier == tier)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(jobs.c.seed_index))
        return [Job(**row._mapping) for row in rows]


def list_jobs(store: Store, campaign: str, status: JobStatus | None = None) -> list[Job]:
    """The jobs of a campaign, or those in one status, in the order in which they were queued."""
    query = select(jobs).where(jobs.c.campaign == campaign)
    if status is not None:
        query = query.where(jobs.c.status == status)
    with store.reading() as connection:
        rows = connection.execute(
            query.order_by(jobs.c.queued, jobs.c.submission, jobs.c.seed_index)
        )
        return [Job(**row._mapping) for row in rows]


def count_jobs(store: Store, campaign: str) -> dict[JobStatus, int]:
    """How many jobs of a campaign are in each status; statuses without a job are left out."""
    query = select(jobs.c.status, func.count()).where(jobs.c.campaign == campaign)
    with store.reading() as connection:
        return {status: n for status, n in connection.execute(query.group_by(jobs.c.status))}


def find_job(connection: Connection, job: str) -> Job:
    """The job of that id within a transaction, or `UnknownName`."""
    row = connection.execute(select(jobs).where(jobs.c.id == job)).first()
    if row is None:
        raise UnknownName(job, "there is no such job", "Give a job's id.")
    return Job(**row._mapping)
