"""A tiny campaign on disk, laid out once; each test has a copy with a store of its own."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.aar_host.jobs.trained_tiny import build
from tests.cards import CARD
from tests.postgresql import Server
from tests.tampering import tamper

from aar_host.auth import issue
from aar_host.jobs.executor import LocalExecutor
from aar_host.jobs.grounds import SEEDS, Grounds
from aar_host.jobs.places import campaign_of, database_of, note_campaign
from aar_host.jobs.settle import settle
from aar_host.jobs.worker import Bench, run_submission
from aar_host.problems.prepare import test_inputs as inputs_of
from aar_host.sandbox import Sandbox, make_sandbox
from aar_host.store import Store, open_store
from aar_host.store.actors import actor_of_token
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.findings import Note, add_finding
from aar_host.store.jobs import Job, Outcome, claim_job, finish_job
from aar_host.store.predictions import Predicted
from aar_host.store.submissions import Draft, Submission, add_submission, get_submission
from aar_lab.digest import digest_text
from aar_lab.errors import JobFailed
from aar_lab.types import FindingKind, JobStatus, Predictions, Recipe, Role

PLAN = Plan("tiny", "1", "d" * 64, "SEALED", "a1", {"seeds": SEEDS, "max_submissions": 100})
GOOD = """
from aar_lab.types import Student

def train(task, rng):
    student = task.student()
    student.fit(task.inputs, task.weak.probs, rng)
    return Student((student.save(),))
"""
SLOW = GOOD.replace("    student = task", "    __import__('time').sleep(0.4)\n    student = task")


@dataclass
class Site:
    """A campaign with one researcher and one worker that the test itself sets to work."""

    grounds: Grounds
    store: Store
    campaign: str
    actor: str
    bench: Bench

    def submit(self, source: str) -> str:
        return add_submission(self.store, self.campaign, self.actor, Draft(source, CARD))

    def work(self) -> None:
        """Run every queued job."""
        while (job := self.bench.claim()) is not None:
            run_submission(self.bench, job)

    def run(self, source: str) -> Submission:
        """Hand in a method and work until nothing is left to do."""
        submission = self.submit(source)
        self.work()
        return get_submission(self.store, submission)


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Grounds:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def box_maker() -> Sandbox:
    return make_sandbox("bubblewrap")


def open_site(grounds: Grounds, sandbox: Sandbox) -> Site:
    store = open_store(database_of(grounds.directory))
    campaign = create_campaign(store, PLAN).id
    note_campaign(grounds.directory, campaign)
    token = issue(store, campaign, "ada", Role.RESEARCHER, 1)
    row = actor_of_token(store, digest_text(token))
    assert row is not None
    bench = Bench(f"test-{secrets.token_hex(4)}", grounds, store, campaign, sandbox)
    return Site(grounds, store, campaign, str(row.id), bench)


@pytest.fixture
def site(laid_out: Grounds, box_maker: Sandbox, tmp_path: Path) -> Site:
    shutil.copytree(laid_out.directory, tmp_path / "campaign")
    return open_site(Grounds(tmp_path / "campaign"), box_maker)


@pytest.fixture(scope="session")
def shared(laid_out: Grounds, box_maker: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One campaign for all methods that fail: failures before it do a method no harm."""
    folder = tmp_path_factory.mktemp("shared") / "campaign"
    shutil.copytree(laid_out.directory, folder)
    return open_site(Grounds(folder), box_maker)


@pytest.fixture
def executor(site: Site) -> Iterator[LocalExecutor]:
    started = LocalExecutor(site.store, site.grounds.directory, workers=1)
    yield started
    started.stop()


def until(condition, tend=lambda: None, seconds: float = 60.0):
    """Wait for something that another process brings about; returns it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        tend()
        time.sleep(0.02)
    return found


@dataclass
class Record:
    """A campaign that has been worked on, without a box: scored, failed, unfinished, discussed."""

    directory: Path
    where: str
    scored: str
    failed: str
    waiting: str

    def tamper(self, *statements: str) -> None:
        tamper(self.where, *statements)


def answer_job(store: Store, grounds: Grounds, job: Job) -> None:
    """Finish a job with predictions out of the air."""
    ids = inputs_of(grounds.tests, job.tier).ids
    probs = [0.1 + 0.8 * ((len(i) + n) % 2) for n, i in enumerate(ids)]
    found = Predicted(Predictions(ids, probs), Recipe())
    finish_job(store, job, Outcome(JobStatus.DONE, found))


def keep_record(directory: Path, where: str) -> Record:
    """Begin a campaign in a laid out directory, and do a little of everything in it."""
    grounds, store = Grounds(directory), open_store(where)
    campaign = create_campaign(store, PLAN).id
    note_campaign(directory, campaign, where)
    row = actor_of_token(store, digest_text(issue(store, campaign, "ada", Role.RESEARCHER, 1)))
    assert row is not None
    names = []
    for source in ("one", "two", "three"):
        draft = Draft(source, CARD, tuple(names))
        names.append(add_submission(store, campaign, row.id, draft))
    for _ in range(SEEDS):
        job = claim_job(store, campaign, "w", 600, names[0])
        assert job is not None
        answer_job(store, grounds, job)
        settle(store, grounds, job)
    job = claim_job(store, campaign, "w", 600, names[1])
    assert job is not None
    finish_job(store, job, Outcome(JobStatus.CRASHED, error=JobFailed("seed 0", "it broke", ".")))
    settle(store, grounds, job)
    add_finding(store, campaign, row.id, Note(FindingKind.INSIGHT, "body", (names[0],)))
    store.close()
    return Record(directory, where, *names)


@pytest.fixture(scope="session")
def kept_file(laid_out: Grounds, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A record on SQLite that every test copies."""
    folder = tmp_path_factory.mktemp("kept") / "campaign"
    shutil.copytree(laid_out.directory, folder)
    return keep_record(folder, str(folder / "store.db"))


@pytest.fixture(scope="session")
def kept_database(
    laid_out: Grounds, postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Record]:
    """A record on PostgreSQL that every test copies."""
    folder = tmp_path_factory.mktemp("kept") / "campaign"
    shutil.copytree(laid_out.directory, folder)
    with postgresql.database() as url:
        yield keep_record(folder, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def record(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Record]:
    """A record of the test's own on either database."""
    directory = tmp_path / "campaign"
    if request.param == "sqlite":
        kept = request.getfixturevalue("kept_file")
        shutil.copytree(kept.directory, directory)
        yield replace(kept, directory=directory, where=str(directory / "store.db"))
        return
    kept = request.getfixturevalue("kept_database")
    shutil.copytree(kept.directory, directory)
    template = kept.where.partition("@/")[2].partition("?")[0]
    with request.getfixturevalue("postgresql").database(template) as url:
        monkeypatch.setenv("AAR_DATABASE_URL", url)
        note_campaign(directory, campaign_of(directory), url)
        yield replace(kept, directory=directory, where=url)
