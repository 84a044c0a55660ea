"""`aar jobs`: what an operator sees of jobs, and how a lost one is put back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cards import CARD

from aar_host.auth import authenticate, issue
from aar_host.cli import group
from aar_host.jobs.places import database_of, note_campaign
from aar_host.store import open_store
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.jobs import claim_job, requeue_lost
from aar_host.store.submissions import Draft, add_submission, fail_submission
from aar_lab.errors import JobFailed
from aar_lab.types import JobStatus, Role


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign of one submission of two jobs, the first of them lost."""
    monkeypatch.setenv("AAR_JOB_ATTEMPTS", "1")
    store = open_store(database_of(tmp_path))
    config = {"seeds": 2, "max_submissions": 3}
    campaign = create_campaign(store, Plan("p", "1", "d", "SEALED", "a", config)).id
    note_campaign(tmp_path, campaign)
    actor = authenticate(store, issue(store, campaign, "ada", Role.RESEARCHER, 1))
    draft = Draft("source", CARD)
    submission = add_submission(store, campaign, actor.id, draft)
    claim_job(store, campaign, "dies", 60)
    requeue_lost(store, campaign, "dies")
    error = JobFailed("seed 0", "its worker died", "Look at the machine.")
    fail_submission(store, submission, JobStatus.LOST, error)
    return tmp_path


def jobs(*words: object) -> list[dict[str, object]]:
    result = CliRunner().invoke(group, ["jobs", *map(str, words), "--json"])
    assert result.exit_code == 0, result.output
    found: list[dict[str, object]] = json.loads(result.stdout)
    return found


def test_all_jobs_or_the_dead_ones_are_listed(directory):
    assert [row["status"] for row in jobs(directory)] == ["lost", "cancelled"]
    (dead,) = jobs(directory, "--dead")
    assert (dead["seed"], dead["tier"], dead["attempts"]) == (0, "public", 1)
    shown = CliRunner().invoke(group, ["jobs", str(directory)])
    assert {"cancelled", str(dead["id"]), str(dead["submission"])} <= set(shown.stdout.split())


def test_a_dead_job_is_put_back_once(directory):
    (dead,) = jobs(directory, "--dead")
    assert [row["status"] for row in jobs(directory, "--retry", dead["id"])] == ["queued"] * 2
    assert jobs(directory, "--dead") == []
    words = ["jobs", str(directory), "--retry", str(dead["id"]), "--json"]
    result = CliRunner().invoke(group, words)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "conflict"
