"""Dead letters: put back once more, with what fell with them, and only where it is fair."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_host.store.conftest import PLAN

from aar_host.store import Tier
from aar_host.store.campaigns import create_campaign, get_campaign, set_state
from aar_host.store.jobs import Outcome, claim_job, finish_job, jobs_of, queue_jobs, requeue_lost
from aar_host.store.ledger import events, verify_ledger
from aar_host.store.predictions import Predicted
from aar_host.store.proof import prove
from aar_host.store.retry import retry_job
from aar_host.store.schema import CampaignState
from aar_host.store.scores import record_score
from aar_host.store.submissions import fail_submission, get_submission
from aar_lab.errors import Conflict, JobFailed, UnknownName
from aar_lab.types import JobStatus, Predictions, Recipe

GONE = JobFailed("seed 0", "its workers died", "Look at the machine.")
DONE = Outcome(JobStatus.DONE, Predicted(Predictions(("a",), np.array([0.5])), Recipe()))


@pytest.fixture(autouse=True)
def _one_attempt(monkeypatch):
    monkeypatch.setenv("AAR_JOB_ATTEMPTS", "1")


def lose(world, submission, tier=Tier.PUBLIC):
    """Let the next job of a submission lose its worker; a public one fails the submission."""
    world.claim("dies", 60, submission)
    (job,) = requeue_lost(world.store, world.campaign, "dies")
    assert (job.status, job.tier) == (JobStatus.LOST, tier)
    if tier is Tier.PUBLIC:
        fail_submission(world.store, submission, JobStatus.LOST, GONE)
    return job


def kinds(world):
    return [event.kind for event in events(world.store, world.campaign)]


def test_a_lost_job_comes_back_with_its_submission_and_is_not_charged_again(world):
    submission = world.submit("a")
    job = lose(world, submission)
    statuses = [one.status for one in jobs_of(world.store, submission, Tier.PUBLIC)]
    assert statuses == [JobStatus.LOST, JobStatus.CANCELLED]
    again = retry_job(world.store, world.campaign, job.id)
    assert [one.seed_index for one in again] == [0, 1]
    found = get_submission(world.store, submission)
    assert (found.status, found.error, found.finished) == (JobStatus.QUEUED, None, None)
    assert get_campaign(world.store, world.campaign).charged == 1
    assert kinds(world)[-2:] == ["submission_reopened", "job_retried"]
    for _ in range(2):
        finish_job(world.store, world.claim(), DONE)
    record_score(world.store, submission, Tier.PUBLIC, {"pgr": 0.5})
    assert get_submission(world.store, submission).status is JobStatus.DONE
    assert all(check.ok for check in prove(world.store, world.campaign))


def test_it_comes_back_for_one_attempt_alone(world, monkeypatch):
    monkeypatch.setenv("AAR_JOB_ATTEMPTS", "3")
    submission = world.submit("a")
    for _ in range(3):
        job = world.claim("dies", 60, submission)
        requeue_lost(world.store, world.campaign, "dies")
    fail_submission(world.store, submission, JobStatus.LOST, GONE)
    assert retry_job(world.store, world.campaign, job.id)[0].attempts == 2
    again = world.claim("dies", 60, submission)
    assert again.id == job.id
    (lost,) = requeue_lost(world.store, world.campaign, "dies")
    assert (lost.status, lost.attempts) == (JobStatus.LOST, 3)


def test_asking_twice_changes_nothing(world):
    job = lose(world, world.submit("a"))
    retry_job(world.store, world.campaign, job.id)
    before = kinds(world)
    with pytest.raises(Conflict, match="is queued, not lost"):
        retry_job(world.store, world.campaign, job.id)
    assert kinds(world) == before


def test_jobs_that_were_lost_together_come_back_together(world):
    submission = world.submit("a")
    for worker in ("one", "two"):
        world.claim(worker, 60, submission)
    requeue_lost(world.store, world.campaign, everyone=True)
    fail_submission(world.store, submission, JobStatus.LOST, GONE)
    first, _ = jobs_of(world.store, submission, Tier.PUBLIC)
    again = retry_job(world.store, world.campaign, first.id)
    assert [one.status for one in again] == [JobStatus.QUEUED] * 2


def test_a_method_that_failed_by_itself_is_never_run_again(world):
    submission = world.submit("a")
    lost, crashed = world.claim("dies"), world.claim("w")
    requeue_lost(world.store, world.campaign, "dies")
    finish_job(world.store, crashed, Outcome(JobStatus.CRASHED, error=GONE))
    fail_submission(world.store, submission, JobStatus.LOST, GONE)
    for job, word in ((lost, "ended as crashed"), (crashed, "is crashed, not lost")):
        with pytest.raises(Conflict, match=word):
            retry_job(world.store, world.campaign, job.id)
    assert get_submission(world.store, submission).status is JobStatus.LOST


@pytest.mark.parametrize("state", [CampaignState.FROZEN, CampaignState.CLOSED])
def test_a_public_job_is_retried_in_an_open_campaign_alone(world, state):
    job = lose(world, world.submit("a"))
    set_state(world.store, world.campaign, state)
    with pytest.raises(Conflict, match=f"is {state}"):
        retry_job(world.store, world.campaign, job.id)
    assert claim_job(world.store, world.campaign, "w", 60) is None


def test_a_sealed_job_is_retried_until_the_sealed_part_is_opened(world):
    submission = world.submit("a")
    record_score(world.store, submission, Tier.PUBLIC, {"pgr": 0.5})
    set_state(world.store, world.campaign, CampaignState.FROZEN)
    for _ in range(2):
        finish_job(world.store, world.claim(), DONE)
    queue_jobs(world.store, submission, Tier.SEALED, [0])
    job = lose(world, submission, Tier.SEALED)
    retry_job(world.store, world.campaign, job.id)
    assert get_submission(world.store, submission).status is JobStatus.DONE
    assert kinds(world)[-1] == "job_retried"
    assert "submission_reopened" not in kinds(world)
    again = lose(world, submission, Tier.SEALED)
    set_state(world.store, world.campaign, CampaignState.OPENED)
    with pytest.raises(Conflict, match="is opened"):
        retry_job(world.store, world.campaign, again.id)
    verify_ledger(world.store)


def test_a_job_of_another_campaign_is_unknown(world):
    job = lose(world, world.submit("a"))
    other = create_campaign(world.store, PLAN).id
    for name, campaign in ((job.id, other), ("absent", world.campaign)):
        with pytest.raises(UnknownName):
            retry_job(world.store, campaign, name)
