"""How a submission ends, within a transaction: its final status, and its jobs that still wait."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from aar_host.store.campaigns import find_campaign
from aar_host.store.ledger import Event, append
from aar_host.store.schema import Tier, jobs, submissions
from aar_host.store.spending import check_left
from aar_lab.errors import LabError, OverBudget
from aar_lab.types import JobStatus


def finish(
    connection: Connection,
    submission: str,
    status: JobStatus,
    now: float,
    error: LabError | None = None,
) -> None:
    """Set the final status."""
    connection.execute(
        update(submissions)
        .where(submissions.c.id == submission)
        .values(status=status, finished=now, error=error.as_dict() if error else None)
    )


def fail(
    connection: Connection, submission: str, status: JobStatus, now: float, error: LabError
) -> None:
    """End it without a score: its queued jobs are cancelled, its charge stays."""
    finish(connection, submission, status, now, error)
    connection.execute(
        update(jobs)
        .where(jobs.c.submission == submission, jobs.c.status == JobStatus.QUEUED)
        .values(status=JobStatus.CANCELLED)
    )
    campaign = connection.execute(
        select(submissions.c.campaign).where(submissions.c.id == submission)
    ).scalar_one()
    payload = {"submission": submission, "status": status, "error": error.as_dict()}
    append(connection, now, Event(campaign, "submission_failed", payload))


def cut_overspent(connection: Connection, job: str, now: float) -> bool:
    """End the submission of a waiting job as cancelled if no compute is left for it.

    So nothing waits for a budget that never grows. Sealed scores are the host's own to make.
    """
    query = (
        select(submissions.c.id, submissions.c.campaign, submissions.c.actor, jobs.c.tier)
        .join(jobs, jobs.c.submission == submissions.c.id)
        .where(jobs.c.id == job)
    )
    row = connection.execute(query).one()
    if row.tier is Tier.SEALED:
        return False
    plan = find_campaign(connection, row.campaign)
    try:
        check_left(connection, plan, row.actor, ["compute_seconds"])
    except OverBudget as error:
        fail(connection, row.id, JobStatus.CANCELLED, now, error)
        return True
    return False
