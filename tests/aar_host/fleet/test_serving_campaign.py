"""A campaign for people from outside: served, taken up again, closed, opened once more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.aar_host.fleet.crash_driver import PROBLEM, source_of

from aar_host.cli import group
from aar_host.jobs.grounds import Grounds
from aar_host.jobs.manifest import write_manifest
from aar_host.store import open_store
from aar_host.store.ledger import events, verify_ledger
from aar_lab.client import Client
from aar_lab.tools import read_card

pytestmark = [pytest.mark.slow, pytest.mark.timeout(560)]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    os.environ["AAR_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["AAR_CACHE_DIR"]


def aar(*words: object) -> dict[str, Any]:
    """The document of a command."""
    result = CliRunner().invoke(group, [*map(str, words), "--json"])
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def serving(*words: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    script = "from aar_host.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", script, "serve", *map(str, words), "--json"],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        cwd=ROOT,
    )


def client(out: Path, name: str) -> Client:
    """Somebody from outside, once the server answers."""
    until = time.monotonic() + 300
    while not (out / "host.sock").exists():
        assert time.monotonic() < until, "it is not served"
        time.sleep(0.1)
    token = aar("token", out, name, "--role", "human-researcher")["token"]
    return Client(token, httpx.HTTPTransport(uds=str(out / "host.sock"), retries=3))


def hand_in(somebody: Client, name: str, number: int) -> str:
    source = source_of(name, number)
    return str(somebody.submit(source, read_card(source))["submission"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A campaign that was served, killed with a submission in hand, served again, and closed."""
    out = tmp_path_factory.mktemp("served") / "run"
    first = serving("--problem", PROBLEM, "--minutes", 30, "--out", out)
    try:
        name = hand_in(client(out, "grace"), "grace", 1)
    finally:
        first.kill()
        first.wait()
    (out / "host.sock").unlink(missing_ok=True)
    second = serving("--resume", out)
    try:
        grace = client(out, "grace")
        assert hand_in(grace, "grace", 1) == name
        while grace.submission(name, 20)["status"] in ("queued", "running"):
            pass
    finally:
        second.send_signal(signal.SIGINT)
    document = json.loads(second.communicate(timeout=120)[0])
    assert document["state"] == "open"
    assert document["submissions"] == 1
    return out, aar("final", out)


def test_what_was_handed_in_from_outside_is_opened_under_its_authors_name(served):
    out, document = served
    (finalist,) = document["finalists"]
    assert (finalist["researcher"], finalist["title"]) == ("grace", "Method 1 of grace")
    assert finalist["sealed"] is not None
    assert document["researchers"][0]["direction"] == "of their own"
    assert document["seconds"] < 1800
    verify_ledger(open_store(out / "store.db"))


def test_a_campaign_that_is_over_says_so_again_and_opens_nothing_twice(served):
    out, document = served
    store = open_store(out / "store.db")
    before = len(events(store, document["campaign"]))
    (out / "report.html").unlink()
    assert aar("final", out) == document
    assert aar("serve", "--resume", out) == document
    assert (out / "report.html").exists()
    assert len(events(store, document["campaign"])) == before


def test_finalists_are_opened_again_on_items_that_nobody_has_seen(served, tmp_path):
    out, document = served
    again = aar("reseal", out, "--out", tmp_path / "again")
    assert again["campaign"] != document["campaign"]
    names = ("researcher", "title", "digest")
    assert [[f[n] for n in names] for f in again["finalists"]] == [
        [f[n] for n in names] for f in document["finalists"]
    ]
    assert again["finalists"][0]["sealed"] != document["finalists"][0]["sealed"]
    tests = [Grounds(place).facts["tests"] for place in (out, tmp_path / "again")]
    assert tests[0] != tests[1]
    assert aar("reseal", out, "--out", tmp_path / "again") == again
    assert aar("reseal", out, "--out", out)["error"]["code"] == "conflict"


def test_a_problem_whose_data_run_out_cannot_be_resealed(tmp_path):
    problem = str(ROOT / "examples" / "digits.py")
    options = {
        "problem": problem,
        "researchers": 1,
        "minutes": 1.0,
        "seed": 0,
        "sandbox": "none",
        "workers": 1,
    }
    write_manifest(tmp_path, {"campaign": "a" * 12, "options": options})
    error = aar("reseal", tmp_path, "--out", tmp_path / "again")["error"]
    assert error["code"] == "bad_settings"
    assert "fixed collection" in error["fault"]
    assert not (tmp_path / "again").exists()
