"""Fleets of several drivers from a campaign file: the real clients, the real host, scripted models.

The small one runs always; that of nine, killed in the middle, is slow.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.aar_host.fleet.killing import Process, descendants
from tests.aar_host.fleet.scripted_fleet import (
    KEY,
    KEY_NAME,
    aar,
    begun,
    campaign_file,
    environment,
    name_of,
    research,
    run,
    secrets_in,
)
from tests.scripted.script import Asked, Reply
from tests.scripted.server import scripted

from aar_host.report.results import parse_results
from aar_host.store import Store, open_store
from aar_host.store.ledger import events, verify_ledger

pytestmark = pytest.mark.timeout(1500)

SMALL = [{"driver": "claude-code", "model": "messages"}, {"driver": "search"}]
FOUND = (
    "select count(*) from findings join actors on actors.id = findings.actor "
    "where actors.name = '{}'"
)
NINE = [
    {"driver": "claude-code", "model": "messages", "count": 3},
    {"driver": "codex", "model": "responses", "count": 2},
    {"driver": "inspect", "model": "chat", "count": 2},
    {"driver": "search", "count": 2},
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def check_money(store: Store, campaign: str, asked: list[Asked]) -> None:
    """Every call that reached a model is charged once, and nothing is charged that was not."""
    told = [e.payload for e in events(store, campaign) if e.kind == "model_call"]
    with store.reading() as connection:
        rows = connection.exec_driver_sql(
            "select id, status, dollars from model_calls where status != 'open'"
        ).all()
        left = connection.exec_driver_sql(
            "select count(*) from model_calls where status = 'open'"
        ).scalar_one()
    assert left == 0
    assert Counter(body["call"] for body in told) == Counter(row.id for row in rows)
    assert sum(body["dollars"] for body in told) == pytest.approx(sum(row.dollars for row in rows))
    done = sum(row.status == "done" for row in rows)
    assert done <= len(asked) <= len(rows), "every call is one row, lost ones included"


def check_work(store: Store, campaign: str) -> None:
    """Nobody's submission or finding is there twice, and the chain holds."""
    verify_ledger(store)
    with store.reading() as connection:
        made = connection.exec_driver_sql("select actor, content from submissions").all()
        posted = connection.exec_driver_sql("select actor, content from findings").all()
    assert len(made) == len(set(made))
    assert len(posted) == len(set(posted))


def test_two_drivers_from_a_file(cache, tmp_path):
    """An agent and the search: both hand in and post; the money is counted; no key is kept."""
    out, boxed = tmp_path / "run", []

    def watched(asked: Asked) -> Reply:
        boxed.extend(result for result in asked.results if KEY in result)
        return research(asked)

    with scripted(watched, KEY) as model:
        path = campaign_file(tmp_path, model.url, SMALL, minutes=20)
        with begun(cache, path, "--out", out) as process:
            _await(out, FOUND.format("ada"), 1, process)
            _await(out, FOUND.format("blaise"), 1, process)
            process.send_signal(signal.SIGINT)
            assert process.wait(300) == 0
        before = len(model.asked)
        families = run(cache, "families", out, "--ask", "messages")["submissions"]
    results = parse_results((out / "results.json").read_bytes())
    store, campaign = open_store(out / "store.db"), results.campaign
    assert {row.name for row in results.researchers if row.submissions} == {"ada", "blaise"}
    assert "ada" in {finding.author for finding in results.findings}
    assert len(model.asked) > before, "the monitor asked"
    check_money(store, campaign, model.asked)
    check_work(store, campaign)
    kinds = Counter(event.kind for event in events(store, campaign))
    assert kinds["tool_call"] >= 5
    assert kinds["files_changed"] >= 1
    assert not model.strangers
    assert not boxed, "the key was seen in a box"
    assert secrets_in(out, [KEY]) == []
    assert (out / "transcripts" / "ada.jsonl").read_text().count("I call") >= 3
    costs = run(cache, "costs", out)
    assert costs["total"]["model_dollars"] > 0
    assert run(cache, "fsck", out)["ok"]
    mine = next(row for row in families if row["researcher"] == "ada")
    assert (mine["family"], mine["opinion"]) == ("data filtering", "data filtering")
    assert run(cache, "costs", out)["others"][0]["name"] == "monitor"


@pytest.fixture
def killed(cache: Path, tmp_path: Path) -> Iterator[tuple[Path, list[Asked]]]:
    """A fleet of nine that was killed, all of it, once some of them had handed in."""
    out = tmp_path / "run"
    with scripted(research, KEY) as model:
        path = campaign_file(tmp_path, model.url, NINE, minutes=40, seed=1)
        with begun(cache, path, "--out", out) as process:
            _await(out, "select count(*) from submissions", 3, process)
            host = Process.of(process.pid)
            for victim in [host, *descendants(host)]:
                with suppress(ProcessLookupError):
                    os.kill(victim.pid, signal.SIGKILL)
        with begun(cache, "--resume", out) as process:
            _await(out, "select count(distinct actor) from submissions", 9, process)
            _await(out, "select count(distinct actor) from findings", 7, process)
            process.send_signal(signal.SIGINT)
            assert process.wait(600) == 0
        yield out, model.asked


def _await(out: Path, query: str, least: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 600
    while time.monotonic() < until and process.poll() is None:
        with suppress(sqlite3.Error):
            with sqlite3.connect(f"file:{out / 'store.db'}?mode=ro", uri=True) as connection:
                if connection.execute(query).fetchone()[0] >= least:
                    return
        time.sleep(0.2)
    raise AssertionError(f"it ended, or took too long: {process.poll()}")


@pytest.mark.slow
def test_nine_of_four_drivers_are_killed_and_lose_nothing(cache, killed):
    out, asked = killed
    results = parse_results((out / "results.json").read_bytes())
    store = open_store(out / "store.db")
    drivers = {name_of(one) for one in asked}
    assert len(drivers) == 7, "every agent reached its model"
    assert all(row.submissions >= 1 for row in results.researchers)
    assert len(results.researchers) == 9
    lost = [e for e in events(store, results.campaign) if e.payload.get("outcome") == "lost"]
    assert lost, "calls were under way when it was killed"
    check_money(store, results.campaign, asked)
    check_work(store, results.campaign)
    assert secrets_in(out, [KEY]) == []
    assert run(cache, "fsck", out)["ok"]


def test_a_campaign_without_its_key_does_not_begin(cache, tmp_path):
    path = campaign_file(tmp_path, "http://127.0.0.1:9", SMALL)
    surroundings = {k: v for k, v in environment(cache).items() if k != KEY_NAME}
    done = subprocess.run(
        aar("run", path, "--out", tmp_path / "run", "--json"),
        capture_output=True,
        text=True,
        env=surroundings,
        check=False,
    )
    assert done.returncode == 1
    assert KEY_NAME in done.stdout
    assert not (tmp_path / "run").exists()
