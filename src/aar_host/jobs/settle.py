"""When the last seed of a submission is in: score it, or say why there is no score."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from aar_host.jobs.grounds import Grounds
from aar_host.problems.prepare import test_inputs
from aar_host.scoring import SeedResult, score_part
from aar_host.store import Store, Tier
from aar_host.store.campaigns import get_campaign
from aar_host.store.jobs import Job, jobs_of
from aar_host.store.predictions import predictions_of
from aar_host.store.schema import CampaignState
from aar_host.store.scores import record_score
from aar_host.store.submissions import fail_submission
from aar_lab.errors import Conflict, JobFailed, LabError, Undefined, from_dict
from aar_lab.types import JobStatus

OPEN_STATUS = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})


def settle(store: Store, grounds: Grounds, job: Job) -> None:
    """Score the submission of a job that has just ended, if it was the last one of its tier.

    A failed seed fails the submission with that seed's status; it never becomes a zero. A sealed
    score is only made while the campaign is frozen.
    """
    jobs = jobs_of(store, job.submission, job.tier)
    failed = next((j for j in jobs if j.status not in (*OPEN_STATUS, JobStatus.DONE)), None)
    if failed is not None:
        if job.tier is Tier.PUBLIC:
            fail_submission(store, job.submission, failed.status, _why(failed))
        return
    if any(j.status in OPEN_STATUS for j in jobs):
        return
    body = _score(store, grounds, job)
    # Two workers may end the last two seeds at once; scores are written once, by the first.
    with suppress(Conflict):
        record_score(store, job.submission, job.tier, body)


def _why(job: Job) -> LabError:
    if job.error:
        return from_dict(dict(job.error))
    return JobFailed(
        f"seed {job.seed_index}", f"the job ended as {job.status}", "Submit it anew.", job.status
    )


def _score(store: Store, grounds: Grounds, job: Job) -> dict[str, Any]:
    if job.tier is Tier.SEALED:
        state = get_campaign(store, job.campaign).state
        if state is not CampaignState.FROZEN:
            raise Conflict(
                f"campaign {job.campaign} is {state}",
                "the sealed part is opened for frozen finalists only, once",
                "Freeze the campaign first.",
            )
    tests = grounds.tests
    found = predictions_of(store, job.submission, job.tier, test_inputs(tests, job.tier).ids)
    results = [SeedResult(p.predictions, p.threshold) for p in found.values()]
    anchors = grounds.anchor_predictions(job.tier)
    try:
        return score_part(job.submission, results, anchors, tests, job.tier).as_dict()
    except Undefined as error:
        return {
            "submission": job.submission,
            "part": job.tier.value,
            "pgr": None,
            "error": error.as_dict(),
        }
