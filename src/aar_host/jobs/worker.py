"""A worker: claims jobs, trains them in boxes, lets the students predict, has them scored."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from aar_host.jobs.grounds import SEEDS, Grounds
from aar_host.jobs.places import campaign_of
from aar_host.jobs.settle import settle
from aar_host.jobs.training import Order, TrainingBox, bad_output, workspace_name
from aar_host.problems.prepare import test_inputs
from aar_host.sandbox import Sandbox, make_sandbox
from aar_host.settings import number
from aar_host.store import Store, Tier, open_store
from aar_host.store.jobs import Job, Outcome, claim_job, finish_job
from aar_host.store.predictions import Predicted
from aar_host.store.submissions import method_source
from aar_lab.errors import Conflict, JobFailed, LabError
from aar_lab.experiment.run import student_factory
from aar_lab.experiment.students import infer
from aar_lab.learners.machine import use_one_thread
from aar_lab.types import Inputs, JobStatus

IDLE_SECONDS = 0.05
SPARE_SECONDS = 120
_PR_SET_PDEATHSIG = 1


@dataclass
class Bench:
    """What a worker keeps between jobs."""

    name: str
    grounds: Grounds
    store: Store
    campaign: str
    sandbox: Sandbox

    def __post_init__(self) -> None:
        bundle, student = self.grounds.bundle, self.grounds.facts["student"]
        weights = bundle.weights(student)
        self.student: str = student
        self.member_bytes = 2 * weights.stat().st_size
        self.make = student_factory(bundle.problem, student, weights)
        self._inputs: dict[Tier, Inputs] = {}

    def inputs(self, tier: Tier) -> Inputs:
        """The test inputs of a tier; only trusted code in this process sees them."""
        if tier not in self._inputs:
            self._inputs[tier] = test_inputs(self.grounds.tests, tier)
        return self._inputs[tier]

    def claim(self, submission: str | None = None) -> Job | None:
        """The next job, or the next of a submission; it counts as lost when its time is over."""
        lease = number("job_seconds") + SPARE_SECONDS
        return claim_job(self.store, self.campaign, self.name, lease, submission)


def work(place: tuple[Path, str], name: str, stop: Event) -> None:
    """Run jobs of a campaign until told to stop, or the parent process is gone.

    Args:
        place: the campaign's directory, and what `open_store` is given: what forks the workers
            may have begun in another environment.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    use_one_thread()
    directory, where = place
    grounds, store, campaign = Grounds(directory), open_store(where), campaign_of(directory)
    bench = Bench(name, grounds, store, campaign, make_sandbox(grounds.facts["sandbox"]))
    parent = multiprocessing.parent_process()
    while not stop.is_set() and (parent is None or parent.is_alive()):
        job = bench.claim()
        if job is None:
            time.sleep(IDLE_SECONDS)
        else:
            run_submission(bench, job)


def _die_with_parent() -> None:
    """Be killed when whoever forked this process is: nobody waits for the results any more.

    That is the fork server, which ends when the host does. Without it a worker would train on
    until its job is done, beside those of a host that was started anew.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run_submission(bench: Bench, first: Job) -> None:
    """Train the claimed job, and in the same box as many seeds of its submission as are left."""
    source = method_source(bench.store, first.submission)
    order = Order(
        name=workspace_name(bench.name),
        bundle=bench.grounds.bundle.directory,
        method=bench.grounds.method_file(source),
        student=bench.student,
        member_bytes=bench.member_bytes,
        seeds=SEEDS,
    )
    # A conflict: the lease was taken away while the box ran; whoever has the job now finishes it.
    with suppress(Conflict):
        _run_jobs(bench, order, first)


def _run_jobs(bench: Bench, order: Order, first: Job) -> None:
    job: Job | None = first
    try:
        with TrainingBox(bench.sandbox, order) as box:
            spare = box.start_seconds
            while job is not None:
                finish_job(bench.store, job, run_job(bench, box, job, spare))
                settle(bench.store, bench.grounds, job)
                spare = 0.0
                job = bench.claim(first.submission)
    except JobFailed as error:
        assert job is not None
        outcome = Outcome(JobStatus(error.status), log=error.log, error=error)
        finish_job(bench.store, job, outcome)
        settle(bench.store, bench.grounds, job)


def run_job(bench: Bench, box: TrainingBox, job: Job, box_seconds: float) -> Outcome:
    """Train and predict one seed; `JobFailed` closes the box."""
    started = time.monotonic()
    weak = bench.grounds.weak_labels(job.tier, job.seed_index)
    seed = bench.grounds.method_seed(job.tier, job.seed_index)
    trained = box.train(weak, job.seed_index, seed)
    asked = time.monotonic()
    try:
        found = infer(bench.make, trained.student, bench.inputs(job.tier))
    except LabError as error:
        raise bad_output(error) from error
    ended = time.monotonic()
    seconds = {
        "train": trained.seconds,
        "predict": ended - asked,
        "box": box_seconds,
        "total": ended - started + box_seconds,
    }
    predicted = Predicted(found, trained.student.recipe)
    return Outcome(JobStatus.DONE, predicted, seconds)
