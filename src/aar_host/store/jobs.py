"""Jobs: one seed of one submission on one tier, durable, leased to a worker while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, insert, select, update

from aar_host.settings import number
from aar_host.store.database import Store, new_id
from aar_host.store.ledger import Event, append
from aar_host.store.predictions import Predicted, insert_predictions
from aar_host.store.schema import Tier, jobs, submissions
from aar_lab.errors import BadInput, Conflict, LabError, UnknownName
from aar_lab.types import JobStatus

MAX_LOG = 16_384


@dataclass(frozen=True)
class Job:
    """A job as stored.

    Args:
        attempts: how often its worker was lost, at most the setting `job_attempts`.
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
    store: Store, worker: str, lease_seconds: float, submission: str | None = None
) -> Job | None:
    """Take the job that waits longest, or None. No two workers ever get the same one.

    Jobs of submissions that no worker is busy with come first, since the seeds of a submission
    share a box; with `submission` only its jobs are taken.
    """
    now = store.clock()
    with store.writing() as connection:
        query = select(jobs.c.id, jobs.c.submission).where(jobs.c.status == JobStatus.QUEUED)
        if submission is not None:
            query = query.where(jobs.c.submission == submission)
        running = select(jobs.c.submission).where(jobs.c.status == JobStatus.RUNNING)
        busy = case((jobs.c.submission.in_(running), 1), else_=0)
        order = (busy, jobs.c.queued, jobs.c.seed_index, jobs.c.id)
        waiting = connection.execute(query.order_by(*order).limit(1)).first()
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


def requeue_lost(store: Store, worker: str | None = None, counted: bool = True) -> list[Job]:
    """Put jobs whose lease has expired back into the queue, or end them as lost.

    Args:
        worker: one that is known to be dead; its leases count as expired.
        counted: whether it is an attempt of the job; not where the host itself ended the worker.

    Returns:
        The jobs that were changed; a job whose worker was lost `job_attempts` times is LOST.
    """
    now = store.clock()
    over = jobs.c.leased_until < now if worker is None else jobs.c.worker == worker
    with store.writing() as connection:
        return _requeue(connection, over, counted, now)


def requeue_running(store: Store, campaign: str) -> list[Job]:
    """Put every running job of a campaign back into the queue, at no attempt.

    For whoever begins to serve it alone: those that ran them are dead, or no longer wanted.
    """
    with store.writing() as connection:
        return _requeue(connection, jobs.c.campaign == campaign, False, store.clock())


def _requeue(
    connection: Connection, which: ColumnElement[bool], counted: bool, now: float
) -> list[Job]:
    rows = connection.execute(select(jobs).where(jobs.c.status == JobStatus.RUNNING, which)).all()
    for row in rows:
        attempts = row.attempts + counted
        lost = counted and attempts >= number("job_attempts")
        status = JobStatus.LOST if lost else JobStatus.QUEUED
        finished = now if lost else None
        lease = {"worker": None, "leased_until": None, "attempts": attempts, "finished": finished}
        connection.execute(update(jobs).where(jobs.c.id == row.id).values(status=status, **lease))
        payload = {"job": row.id, "worker": row.worker, "status": status}
        append(connection, now, Event(row.campaign, "worker_lost", payload))
    return [find_job(connection, row.id) for row in rows]


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
        connection.execute(
            update(jobs)
            .where(jobs.c.id == job.id)
            .values(
                status=outcome.status,
                finished=now,
                leased_until=None,
                seconds=dict(outcome.seconds),
                log=outcome.log[-MAX_LOG:],
                error=outcome.error.as_dict() if outcome.error else None,
            )
        )
        payload: dict[str, Any] = {"job": job.id, "status": outcome.status}
        payload |= {"submission": job.submission, "tier": job.tier, "seed": job.seed_index}
        if outcome.predicted is not None:
            key = (job.submission, job.tier, job.seed_index)
            payload["predictions"] = insert_predictions(connection, key, outcome.predicted)
        append(connection, now, Event(job.campaign, "job_finished", payload))


def jobs_of(store: Store, submission: str, tier: Tier) -> list[Job]:
    """The jobs of a submission on a tier, by seed index."""
    query = select(jobs).where(jobs.c.submission == submission, jobs.c.tier == tier)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(jobs.c.seed_index))
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


def cancel_queued(connection: Connection, submission: str) -> None:
    """Cancel the jobs of a submission that still wait."""
    connection.execute(
        update(jobs)
        .where(jobs.c.submission == submission, jobs.c.status == JobStatus.QUEUED)
        .values(status=JobStatus.CANCELLED)
    )
