"""When the last seed of a submission is in: score it, or say why there is no score."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from aar_host.jobs.grounds import Grounds
from aar_host.jobs.reasons import reason
from aar_host.problems.prepare import test_inputs
from aar_host.scoring import SeedResult, score_part
from aar_host.store import Store, Tier
from aar_host.store.jobs import Job, jobs_of
from aar_host.store.predictions import predictions_of
from aar_host.store.scores import record_score, unscored
from aar_host.store.submissions import UNFINISHED, fail_submission
from aar_lab.errors import Conflict, Undefined
from aar_lab.types import JobStatus


def settle_rest(store: Store, grounds: Grounds, campaign: str) -> None:
    """Settle what a worker has ended and not settled, because it died in between."""
    for submission, tier in unscored(store, campaign):
        settle(store, grounds, jobs_of(store, submission, tier)[0])


def settle(store: Store, grounds: Grounds, job: Job) -> None:
    """Score the submission of a job that has just ended, if it was the last one of its tier.

    A failed seed fails the submission with that seed's status; it never becomes a zero. A sealed
    score is only made while the campaign is frozen.
    """
    jobs = jobs_of(store, job.submission, job.tier)
    failed = next((j for j in jobs if j.status not in (*UNFINISHED, JobStatus.DONE)), None)
    if failed is not None:
        if job.tier is Tier.PUBLIC:
            fail_submission(store, job.submission, failed.status, reason(failed))
        return
    if any(j.status in UNFINISHED for j in jobs):
        return
    body = score_jobs(store, grounds, job.submission, job.tier)
    # Two workers may end the last two seeds at once; scores are written once, by the first.
    with suppress(Conflict):
        record_score(store, job.submission, job.tier, body)


def score_jobs(store: Store, grounds: Grounds, submission: str, tier: Tier) -> dict[str, Any]:
    """The score that follows from the stored predictions of a submission's jobs, as JSON.

    Raises:
        Corrupt: the predictions are of other examples.
        BadInput, TooFewSeeds: they are not one for each weak seed.
    """
    tests = grounds.tests
    found = predictions_of(store, submission, tier, test_inputs(tests, tier).ids)
    results = [SeedResult(p.predictions, p.recipe.threshold) for p in found.values()]
    anchors = grounds.anchor_predictions(tier)
    try:
        return score_part(submission, results, anchors, tests, tier).as_dict()
    except Undefined as error:
        return {
            "submission": submission,
            "part": tier.value,
            "pgr": None,
            "error": error.as_dict(),
        }
