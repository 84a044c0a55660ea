"""Worker processes that are killed, and what becomes of their jobs."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from tests.aar_host.jobs.conftest import GOOD, SLOW, open_site, until

from aar_host.jobs.executor import LocalExecutor
from aar_host.jobs.fsck import fsck
from aar_host.jobs.grounds import SEEDS, Grounds
from aar_host.jobs.training import workspace_name
from aar_host.jobs.worker import run_submission
from aar_host.sandbox import box_dir
from aar_host.sandbox.groups import descendants
from aar_host.settings import number
from aar_host.store import Tier
from aar_host.store.jobs import Outcome, claim_job, finish_job, jobs_of
from aar_host.store.ledger import events
from aar_host.store.scores import scores_of
from aar_host.store.submissions import get_submission, method_source
from aar_lab.errors import JobFailed
from aar_lab.types import JobStatus

ATTEMPTS = number("job_attempts")
ENDLESS = "def train(task, rng):\n    while True: pass\n"


def body(site, submission):
    """Its score, without its name."""
    score = scores_of(site.store, [submission]).get(submission)
    return score and {key: value for key, value in score.items() if key != "submission"}


def running(site, submission, seed=0):
    return jobs_of(site.store, submission, Tier.PUBLIC)[seed].status is JobStatus.RUNNING


def workspace(site, submission) -> Path | None:
    """Where the box of the running first job lies, once it is there."""
    worker = jobs_of(site.store, submission, Tier.PUBLIC)[0].worker
    place = worker and box_dir() / workspace_name(worker)
    return place if place and place.exists() else None


@pytest.mark.slow
def test_a_killed_worker_changes_no_score(site, executor):
    undisturbed = site.run(GOOD)
    submission = site.submit(SLOW)
    executor.start()
    until(lambda: running(site, submission, seed=1))
    os.kill(executor.pids[0], signal.SIGKILL)
    until(lambda: body(site, submission), executor.tend)
    assert body(site, submission) == body(site, undisturbed.id)
    jobs = jobs_of(site.store, submission, Tier.PUBLIC)
    assert [job.attempts for job in jobs] == [0, 1, 0, 0, 0]
    assert "worker_lost" in [event.kind for event in events(site.store, site.campaign)]


def test_a_job_whose_workers_die_three_times_is_lost_and_the_next_one_runs(site):
    deadly, next_one = site.submit(ENDLESS), site.submit(GOOD)
    executor = LocalExecutor(site.store, site.grounds.directory, workers=0)
    for attempt in range(ATTEMPTS):
        job = claim_job(site.store, site.campaign, "dies", -1, deadly)
        assert job is not None
        assert (job.seed_index, job.attempts) == (0, attempt)
        executor.tend()
    ended = get_submission(site.store, deadly)
    assert ended.status is JobStatus.LOST
    assert dict(ended.error)["code"] == "job_failed"
    assert method_source(site.store, deadly) == ENDLESS
    site.work()
    assert body(site, next_one)


def test_stopping_leaves_no_process_no_workspace_and_no_running_job(site, executor):
    submission = site.submit(ENDLESS)
    executor.start()
    until(lambda: running(site, submission))
    place = until(lambda: workspace(site, submission))
    worker = executor.pids[0]
    inside = until(lambda: set(descendants(worker)) if len(descendants(worker)) > 3 else None)
    executor.stop()
    assert executor.pids == []
    assert not place.exists()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in inside), seconds=5)
    jobs = jobs_of(site.store, submission, Tier.PUBLIC)
    assert [job.status for job in jobs] == [JobStatus.QUEUED] * SEEDS
    assert executor.tend() == 0
    assert executor.pids == []


def test_a_result_that_comes_after_the_lease_is_dropped(site):
    submission = site.submit("def train(task, rng):\n    1 / 0\n")
    mine = claim_job(site.store, site.campaign, site.bench.name, -1)
    executor = LocalExecutor(site.store, site.grounds.directory, workers=0)
    executor.tend()
    other = claim_job(site.store, site.campaign, "other", 600)
    assert mine is not None
    assert other is not None
    assert other.id == mine.id
    run_submission(site.bench, mine)
    assert running(site, submission)
    error = JobFailed("seed 0", "it crashed", "Mend it.")
    finish_job(site.store, other, Outcome(JobStatus.CRASHED, error=error))


@pytest.mark.slow
def test_workers_serve_a_campaign_on_postgresql(
    laid_out, box_maker, postgresql, tmp_path, monkeypatch
):
    folder = tmp_path / "campaign"
    shutil.copytree(laid_out.directory, folder)
    with postgresql.database() as url:
        monkeypatch.setenv("AAR_DATABASE_URL", url)
        site = open_site(Grounds(folder), box_maker)
        submission = site.submit(SLOW)
        executor = LocalExecutor(site.store, folder, workers=1)
        executor.start()
        try:
            until(lambda: running(site, submission, seed=1), seconds=140)
            os.kill(executor.pids[0], signal.SIGKILL)
            until(lambda: body(site, submission), executor.tend, seconds=140)
        finally:
            executor.stop()
        attempts = [job.attempts for job in jobs_of(site.store, submission, Tier.PUBLIC)]
        assert attempts == [0, 1, 0, 0, 0]
        assert all(check.ok for check in fsck(folder))
        site.store.close()
    assert not (folder / "store.db").exists()
