"""Dead letters: jobs that lost every worker, and how an operator puts one back."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from aar_host.settings import number
from aar_host.store.campaigns import find_campaign
from aar_host.store.database import Store
from aar_host.store.jobs import Job, find_job
from aar_host.store.ledger import Event, append
from aar_host.store.schema import CampaignState, Tier, jobs, submissions
from aar_host.store.submissions import find_submission
from aar_lab.errors import Conflict, UnknownName
from aar_lab.types import JobStatus

# A public score is taken while submissions are, a sealed one while the sealed part is being opened.
STATE = {Tier.PUBLIC: CampaignState.OPEN, Tier.SEALED: CampaignState.FROZEN}
FORGIVEN = frozenset({JobStatus.LOST, JobStatus.CANCELLED})
HARMLESS = frozenset({JobStatus.DONE, JobStatus.QUEUED, JobStatus.RUNNING})


def retry_job(store: Store, campaign: str, job: str) -> list[Job]:
    """Put a lost job back into the queue for one more attempt, in one transaction.

    A lost public job has failed its submission, which cancelled the jobs that waited: the
    submission is reopened, uncharged, and these jobs and others that were lost beside it are put
    back with it, since none of them alone could end the submission well. Nobody has been told a
    number of it. A method that failed by itself is never run again.

    Returns:
        The jobs that are queued again, by seed index.

    Raises:
        UnknownName: the campaign has no such job.
        Conflict: the job is not lost; the campaign has gone on; another job of the submission
            failed by itself; or its submission has ended otherwise.
    """
    with store.writing() as connection:
        found = find_job(connection, job)
        if found.campaign != campaign:
            raise UnknownName(job, "this campaign has no such job", "See `aar jobs DIR`.")
        beside = _check(connection, found)
        reopened = found.tier is Tier.PUBLIC and _reopen(connection, found.submission)
        again = [row.id for row in beside if row.status in FORGIVEN]
        connection.execute(
            update(jobs)
            .where(jobs.c.id.in_(again), jobs.c.status == JobStatus.LOST)
            .values(attempts=number("job_attempts") - 1)
        )
        fresh = {"status": JobStatus.QUEUED, "finished": None}
        connection.execute(update(jobs).where(jobs.c.id.in_(again)).values(**fresh))
        now, payload = store.clock(), {"submission": found.submission}
        if reopened:
            append(connection, now, Event(campaign, "submission_reopened", payload))
        append(
            connection, now, Event(campaign, "job_retried", payload | {"job": job, "jobs": again})
        )
        return [find_job(connection, name) for name in again]


def _check(connection: Connection, job: Job) -> list[Job]:
    """`Conflict` unless the job may run again; returns all jobs of its submission on its tier."""
    if job.status is not JobStatus.LOST:
        raise Conflict(job.id, f"it is {job.status}, not lost", "See `aar jobs DIR --dead`.")
    state = find_campaign(connection, job.campaign).state
    if state is not STATE[job.tier]:
        raise Conflict(
            f"campaign {job.campaign} is {state}",
            f"its {job.tier} scores are made while it is {STATE[job.tier]}",
            "Nothing can be retried any more: the outcome stands.",
        )
    query = select(jobs).where(jobs.c.submission == job.submission, jobs.c.tier == job.tier)
    rows = connection.execute(query.order_by(jobs.c.seed_index))
    beside = [Job(**row._mapping) for row in rows]
    failed = next((one for one in beside if one.status not in FORGIVEN | HARMLESS), None)
    if failed is not None:
        raise Conflict(
            failed.id,
            f"another job of the submission ended as {failed.status}",
            "The method failed by itself; mend and submit it anew.",
        )
    return beside


def _reopen(connection: Connection, submission: str) -> bool:
    """Undo the failure of a submission whose job was lost; False if it has not failed yet."""
    found = find_submission(connection, submission)
    if found.status in (JobStatus.QUEUED, JobStatus.RUNNING):
        return False
    if found.status is not JobStatus.LOST:
        raise Conflict(submission, f"it ended as {found.status}", "Its outcome stands.")
    again = {"status": JobStatus.QUEUED, "finished": None, "error": None}
    connection.execute(update(submissions).where(submissions.c.id == submission).values(**again))
    return True
