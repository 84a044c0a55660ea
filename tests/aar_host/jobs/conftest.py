"""A tiny campaign on disk, laid out once; each test has a copy with a store of its own."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.aar_host.jobs.trained_tiny import build

from aar_host.auth import issue
from aar_host.jobs.executor import LocalExecutor
from aar_host.jobs.grounds import SEEDS, Grounds
from aar_host.jobs.places import database_of, note_campaign
from aar_host.jobs.worker import Bench, run_submission
from aar_host.sandbox import Sandbox, make_sandbox
from aar_host.store import Store, open_store
from aar_host.store.actors import actor_of_token
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.submissions import Draft, Submission, add_submission, get_submission
from aar_lab.digest import digest_text
from aar_lab.types import MethodCard, Role

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
        return add_submission(
            self.store, self.campaign, self.actor, Draft(source, MethodCard("title", "idea"))
        )

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
