"""Whole campaigns, as users start them: real boxes, real server, real training."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.aar_host.fleet.crash_driver import PROBLEM
from tests.aar_host.fleet.probe import Probe, needles, walker

from aar_host.fleet.campaign import started
from aar_host.fleet.options import Options, Show
from aar_host.fleet.run import run_campaign
from aar_host.report.results import read_results
from aar_host.sandbox.workspace import box_dir
from aar_host.store import Tier, open_store
from aar_host.store.jobs import jobs_of
from aar_host.store.ledger import events, verify_ledger

pytestmark = pytest.mark.timeout(560)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation's cache, its anchors trained once for this file."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["AAR_CACHE_DIR"] = str(folder)
    yield folder
    del os.environ["AAR_CACHE_DIR"]


def aar(*words: str) -> list[str]:
    return [sys.executable, "-c", "from aar_host.cli import main; main()", *words]


@contextmanager
def _silent() -> Iterator[Show]:
    yield lambda status: None


def _quiet(text: str, done: int, of: int) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def finished(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a campaign of two researchers for a minute, run by the command."""
    out = tmp_path_factory.mktemp("campaign") / "run"
    words = ("run", "--researchers", "2", "--minutes", "1", "--out", str(out), "--json")
    ended = subprocess.run(aar(*words), capture_output=True, text=True, timeout=540, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    (out / "stdout.json").write_text(ended.stdout)
    return out


def test_stdout_is_one_document_of_the_documented_shape(finished):
    document = json.loads((finished / "stdout.json").read_text())
    assert document["submissions"] >= 2
    assert document["finalists"]
    for finalist in document["finalists"]:
        assert set(finalist) >= {"researcher", "submission", "public", "sealed"}
        assert set(finalist["public"]) == {"pgr", "interval"}
        assert set(finalist["sealed"]) >= {"pgr", "interval", "gain_over_naive"}
        assert set(finalist["sealed"]["gain_over_naive"]) == {"mean", "interval", "method"}


def test_every_researcher_submits_and_posts(finished):
    results = read_results(finished / "results.json")
    assert all(row.submissions >= 1 for row in results.researchers)
    names = {row.name for row in results.researchers}
    assert {finding.author for finding in results.findings} <= names
    assert results.findings


def test_a_sealed_score_comes_from_other_items_and_from_fresh_seeds(finished):
    store = open_store(finished / "store.db")
    results = read_results(finished / "results.json")
    campaign = results.campaign
    verify_ledger(store)
    kinds = [event.kind for event in events(store, campaign)]
    states = [
        event.payload["to"] for event in events(store, campaign) if event.kind == "state_changed"
    ]
    assert states == ["frozen", "opened", "closed"]
    assert kinds.index("jobs_queued") > kinds.index("state_changed")
    for finalist in results.finalists:
        assert finalist.sealed is not None
        assert 700 < (finalist.sealed.n_items or 0) < 1500


def test_the_report_stands_alone(finished):
    page = (finished / "report.html").read_text()
    results = read_results(finished / "results.json")
    assert all(finalist.submission in page for finalist in results.finalists)
    assert "src=" not in page
    assert "http-equiv" in page


def test_notebooks_are_kept_and_workspaces_removed(finished):
    results = read_results(finished / "results.json")
    for name in {finding.author for finding in results.findings}:
        assert (finished / "researchers" / name / "notebook.md").read_text()
    assert not list(box_dir().glob(f"{results.campaign}-*"))


def test_a_directory_that_is_in_use_is_refused(finished):
    words = ("run", "--minutes", "0.1", "--out", str(finished), "--json")
    ended = subprocess.run(aar(*words), capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["code"] == "conflict"


def test_no_box_of_a_live_campaign_holds_a_test_item(cache, tmp_path):
    out = tmp_path / "run"
    probe = Probe(out)
    # The integrity rules would refuse a source that walks over files; here the box stands alone.
    options = Options("chat-mini", 1, 1.0, 0, out, "bubblewrap", 1, integrity=False)
    with started(options, _quiet) as campaign:
        results = run_campaign(campaign, options, _silent, lambda seat, logs: probe)
    submission = probe.answers["submission"]
    assert "PROBE" not in json.dumps(submission)  # what a training box prints is the operator's
    jobs = jobs_of(open_store(out / "store.db"), submission["submission"], Tier.PUBLIC)
    told = {"try": probe.answers["try"], "job": jobs[0].log}
    for where, text in told.items():
        assert "PROBE seen=" in text, f"{where}: the probe did not run: {text[:500]}"
        assert "found=[]" in text, f"{where}: {text[:500]}"
    assert results["finalists"] == []
    assert results["history"][0]["status"] == "crashed"
    # The same walk finds them where they lie, so its silence in the boxes means something.
    space: dict[str, object] = {}
    exec(walker(needles(out)), space)  # noqa: S102
    found, _ = space["walk"](str(out), ())  # type: ignore[operator]
    assert {Path(path).parent.name for path, _ in found} >= {"host", "vault"}


def _values(document: object) -> Iterator[object]:
    """Every value of a JSON document."""
    if isinstance(document, dict):
        for value in document.values():
            yield from _values(value)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value)
    else:
        yield document


def test_what_boxes_hold_names_no_label_and_no_count_of_labels(finished):
    mounted = [*(finished / "public").rglob("*.json*"), *(finished / "practice").rglob("*.json*")]
    lines = [line for path in mounted for line in _documents(path)]
    private = {"y", "truth", "quality", "sources", "shifted", "metadata", "problem"}
    assert not private & {key for line in lines for key in line}
    seen = {value for line in lines for value in _values(line) if isinstance(value, int)}
    for part in ("public", "sealed"):
        rows = _documents(finished / "vault" / f"{part}.jsonl")
        assert private & {key for row in rows for key in row}
        assert not {len(rows), sum(row["y"] for row in rows)} & seen


def _documents(path: Path) -> list[dict[str, object]]:
    text = path.read_text()
    return (
        [json.loads(line) for line in text.splitlines()]
        if "jsonl" in path.name
        else [json.loads(text)]
    )


def test_ctrl_c_ends_the_search_and_still_reports(cache, tmp_path):
    out = tmp_path / "run"
    words = ("run", "--problem", str(PROBLEM), "--researchers", "1", "--minutes", "10")
    words = (*words, "--out", str(out))
    process = subprocess.Popen(
        aar(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _await_score(out, process)
    process.send_signal(signal.SIGINT)
    shown, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors[-3000:]
    assert "opened once" in shown
    results = read_results(out / "results.json")
    assert results.stopped == "interrupt"
    assert results.finalists[0].sealed is not None


def _await_score(out: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if (out / "host" / "references.json").exists() and (out / "store.db").exists():
            store = open_store(out / "store.db")
            with store.reading() as connection:
                row = connection.exec_driver_sql("select count(*) from scores").scalar()
            if row:
                return
        time.sleep(0.5)
    raise AssertionError("no score within two minutes")
