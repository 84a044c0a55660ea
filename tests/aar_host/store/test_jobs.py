"""Jobs: claimed once, leased, requeued, and ended with predictions or with a status."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest
from tests.aar_host.store.conftest import PLAN

from aar_host.settings import number
from aar_host.store import Tier, open_store
from aar_host.store.campaigns import create_campaign
from aar_host.store.jobs import (
    MAX_LOG,
    Outcome,
    claim_job,
    count_jobs,
    finish_job,
    jobs_of,
    queue_jobs,
    requeue_lost,
    requeue_running,
)
from aar_host.store.ledger import events, verify_ledger
from aar_host.store.predictions import Predicted, predictions_of
from aar_host.store.submissions import status_of
from aar_lab.errors import BadInput, Conflict, Corrupt, JobFailed, UnknownName
from aar_lab.types import JobStatus, Predictions, Recipe

PREDICTED = Predicted(
    Predictions(("b", "a", "c"), np.array([0.1, 1 / 3, 1.0])), Recipe(("swap",), threshold=0.4)
)
SECONDS = {"train": 1.0, "predict": 0.2, "box": 0.1, "total": 1.3}


def test_workers_spread_over_submissions_and_then_follow_the_queue(world):
    first = world.submit("a")
    world.clock.now += 1
    second = world.submit("b")
    claimed = [claim_job(world.store, "w", 60) for _ in range(5)]
    assert [(job.submission, job.seed_index) for job in claimed[:4]] == [
        (first, 0),
        (second, 0),
        (first, 1),
        (second, 1),
    ]
    assert claimed[4] is None
    assert status_of(world.store, first) is JobStatus.RUNNING


def test_a_worker_can_go_on_with_one_submission(world):
    first = world.submit("a")
    world.submit("b")
    claimed = [claim_job(world.store, "w", 60, first) for _ in range(3)]
    assert [job and job.seed_index for job in claimed] == [0, 1, None]


def test_a_dead_workers_leases_are_released_at_once(world):
    world.submit("a")
    job = claim_job(world.store, "dead", 60)
    claim_job(world.store, "alive", 60)
    assert [lost.id for lost in requeue_lost(world.store, "dead")] == [job.id]


def test_a_claim_is_a_lease(world):
    world.submit("a")
    job = claim_job(world.store, "w", 60)
    assert (job.status, job.worker, job.leased_until) == (JobStatus.RUNNING, "w", 1060.0)
    assert requeue_lost(world.store) == []


def test_a_finished_job_keeps_its_predictions_by_id(world):
    submission = world.submit("a")
    job = claim_job(world.store, "w", 60)
    finish_job(world.store, job, Outcome(JobStatus.DONE, PREDICTED, SECONDS, "log"))
    stored = jobs_of(world.store, submission, Tier.PUBLIC)[0]
    assert (stored.status, stored.seconds, stored.log) == (JobStatus.DONE, SECONDS, "log")
    found = predictions_of(world.store, submission, Tier.PUBLIC, ["c", "b", "a"])
    assert list(found) == [0]
    assert found[0].recipe == PREDICTED.recipe
    assert found[0].predictions.aligned(["a", "b", "c"]).tolist() == [1 / 3, 0.1, 1.0]
    assert events(world.store, world.campaign)[-1].payload["status"] == "done"


def test_predictions_are_never_read_for_other_examples(world):
    submission = world.submit("a")
    job = claim_job(world.store, "w", 60)
    finish_job(world.store, job, Outcome(JobStatus.DONE, PREDICTED, SECONDS))
    with pytest.raises(Corrupt, match="other examples"):
        predictions_of(world.store, submission, Tier.PUBLIC, ["a", "b", "d"])


def test_a_failed_job_keeps_its_error_and_the_end_of_its_log(world):
    submission = world.submit("a")
    job = claim_job(world.store, "w", 60)
    error = JobFailed("job", "ran out of memory", "Use less.")
    outcome = Outcome(JobStatus.OUT_OF_MEMORY, log="x" * MAX_LOG + "the end", error=error)
    finish_job(world.store, job, outcome)
    stored = jobs_of(world.store, submission, Tier.PUBLIC)[0]
    assert (stored.status, stored.error) == (JobStatus.OUT_OF_MEMORY, error.as_dict())
    assert len(stored.log) == MAX_LOG
    assert stored.log.endswith("the end")
    assert predictions_of(world.store, submission, Tier.PUBLIC, ["a"]) == {}


@pytest.mark.parametrize(
    ("status", "predicted"),
    [(JobStatus.DONE, None), (JobStatus.CRASHED, PREDICTED), (JobStatus.RUNNING, None)],
)
def test_an_outcome_is_final_and_has_predictions_exactly_if_done(status, predicted):
    with pytest.raises(BadInput):
        Outcome(status, predicted)


def test_a_lost_worker_costs_an_attempt_and_its_late_result_is_refused(world):
    submission = world.submit("a")
    lost = claim_job(world.store, "w", 60)
    world.clock.now += 61
    assert [job.id for job in requeue_lost(world.store)] == [lost.id]
    again = claim_job(world.store, "w", 60)
    assert (again.id, again.attempts) == (lost.id, 1)
    with pytest.raises(Conflict, match="not yours"):
        finish_job(world.store, lost, Outcome(JobStatus.DONE, PREDICTED, SECONDS))
    finish_job(world.store, again, Outcome(JobStatus.DONE, PREDICTED, SECONDS))
    assert list(predictions_of(world.store, submission, Tier.PUBLIC, "abc")) == [0]


def test_a_job_that_loses_every_worker_ends_as_lost(world):
    world.submit("a")
    claim_job(world.store, "other", 1e6)
    for attempt in range(1, number("job_attempts") + 1):
        assert claim_job(world.store, "w", 60) is not None
        world.clock.now += 61
        (job,) = requeue_lost(world.store)
        assert job.attempts == attempt
    assert (job.status, job.finished) == (JobStatus.LOST, world.clock.now)
    assert claim_job(world.store, "w", 60) is None
    assert count_jobs(world.store, world.campaign) == {JobStatus.RUNNING: 1, JobStatus.LOST: 1}


def test_jobs_of_a_dead_host_are_queued_again_at_no_attempt(world):
    submission = world.submit("a")
    zombie = claim_job(world.store, "zombie", 600)
    claim_job(world.store, "zombie", 600)
    assert len(requeue_running(world.store, world.campaign)) == 2
    assert requeue_running(world.store, world.campaign) == []
    jobs = jobs_of(world.store, submission, Tier.PUBLIC)
    assert [(job.status, job.attempts) for job in jobs] == [(JobStatus.QUEUED, 0)] * 2
    again = claim_job(world.store, "w", 600)
    assert again.id == zombie.id
    with pytest.raises(Conflict, match="not yours"):
        finish_job(world.store, zombie, Outcome(JobStatus.DONE, PREDICTED, SECONDS))


def test_the_jobs_of_another_campaign_run_on(world):
    world.submit("a")
    claim_job(world.store, "w", 600)
    assert requeue_running(world.store, create_campaign(world.store, PLAN).id) == []


def test_a_worker_that_the_host_ended_costs_no_attempt(world):
    world.submit("a")
    for _ in range(number("job_attempts") + 1):
        claim_job(world.store, "w", 600)
        (job,) = requeue_lost(world.store, "w", counted=False)
        assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)


def test_queueing_twice_makes_no_second_job(world):
    submission = world.submit("a")
    queue_jobs(world.store, submission, Tier.SEALED, [0, 1])
    queue_jobs(world.store, submission, Tier.SEALED, [1, 2])
    jobs = jobs_of(world.store, submission, Tier.SEALED)
    assert [job.seed_index for job in jobs] == [0, 1, 2]
    with pytest.raises(UnknownName):
        queue_jobs(world.store, "absent", Tier.SEALED, [0])


def _claim_all(path, worker, claimed):
    store = open_store(path)
    while (job := claim_job(store, worker, 60)) is not None:
        claimed.put(job.id)
    claimed.put(None)


def test_concurrent_claims_never_hand_out_a_job_twice(world):
    submission = world.submit("a")
    queue_jobs(world.store, submission, Tier.SEALED, range(60))
    fork = multiprocessing.get_context("fork")
    claimed = fork.Queue()
    processes = [
        fork.Process(target=_claim_all, args=(world.path, f"w{i}", claimed)) for i in range(4)
    ]
    for process in processes:
        process.start()
    ids, ended = [], 0
    while ended < len(processes):
        item = claimed.get(timeout=60)
        ended, ids = (ended + 1, ids) if item is None else (ended, [*ids, item])
    for process in processes:
        process.join(60)
    assert len(ids) == len(set(ids)) == 62
    verify_ledger(world.store)
