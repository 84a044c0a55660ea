"""The end of a submission: scored once, the sealed part only behind a freeze."""

from __future__ import annotations

from tests.aar_host.jobs.conftest import GOOD, answer_job

from aar_host.jobs.grounds import SEEDS
from aar_host.jobs.settle import settle, settle_rest
from aar_host.store import Tier
from aar_host.store.campaigns import set_state
from aar_host.store.jobs import Outcome, claim_job, finish_job, queue_jobs
from aar_host.store.ledger import events
from aar_host.store.schema import CampaignState
from aar_host.store.scores import scores_of, unscored
from aar_host.store.submissions import get_submission
from aar_lab.errors import JobFailed
from aar_lab.types import JobStatus


def answer(site, job):
    answer_job(site.store, site.grounds, job)


def claimed(site):
    job = claim_job(site.store, site.campaign, "w", 600)
    assert job is not None
    return job


def test_nothing_is_scored_before_the_last_seed(site):
    submission = site.submit(GOOD)
    for index in range(SEEDS):
        assert not scores_of(site.store, [submission])
        job = claimed(site)
        assert job.seed_index == index
        answer(site, job)
        settle(site.store, site.grounds, job)
    assert submission in scores_of(site.store, [submission])
    assert get_submission(site.store, submission).status is JobStatus.DONE


def test_a_score_is_written_once(site):
    submission = site.submit(GOOD)
    jobs = [claimed(site) for _ in range(SEEDS)]
    for job in jobs:
        answer(site, job)
    for job in jobs[:2]:  # two workers see the last seeds end at once
        settle(site.store, site.grounds, job)
    kinds = [entry.kind for entry in events(site.store, site.campaign)]
    assert kinds.count("score_recorded") == 1
    assert submission in scores_of(site.store, [submission])


def test_the_sealed_part_is_opened_for_a_frozen_campaign_only(site):
    submission = site.submit(GOOD)
    for job in [claimed(site) for _ in range(SEEDS)]:
        answer(site, job)
        settle(site.store, site.grounds, job)
    queue_jobs(site.store, submission, Tier.SEALED, range(SEEDS))
    jobs = [claimed(site) for _ in range(SEEDS)]
    for job in jobs:
        answer(site, job)
    settle(site.store, site.grounds, jobs[0])
    assert not scores_of(site.store, [submission], Tier.SEALED)
    set_state(site.store, site.campaign, CampaignState.FROZEN)
    settle(site.store, site.grounds, jobs[0])
    assert submission in scores_of(site.store, [submission], Tier.SEALED)


def test_a_failed_seed_fails_its_submission_and_never_counts_as_zero(site):
    submission = site.submit(GOOD)
    answer(site, claimed(site))
    job = claimed(site)
    error = JobFailed("seed 1", "it hung", "Be quicker.", JobStatus.TIMEOUT)
    finish_job(site.store, job, Outcome(JobStatus.TIMEOUT, error=error, log="…"))
    settle(site.store, site.grounds, job)
    found = get_submission(site.store, submission)
    assert found.status is JobStatus.TIMEOUT
    assert found.error["fault"] == "the method ended as timeout"
    assert claim_job(site.store, site.campaign, "w", 600) is None
    assert not scores_of(site.store, [submission])


def test_what_a_dead_worker_left_unsettled_is_settled(site):
    submission = site.submit(GOOD)
    for job in [claimed(site) for _ in range(SEEDS)]:
        answer(site, job)
    assert unscored(site.store, site.campaign) == [(submission, Tier.PUBLIC)]
    settle_rest(site.store, site.grounds, site.campaign)
    assert submission in scores_of(site.store, [submission])
    assert unscored(site.store, site.campaign) == []
