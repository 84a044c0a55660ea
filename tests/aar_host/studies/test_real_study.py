"""A study as users start it: real campaigns of the tiny problem, then the same command again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.aar_host.fleet.crash_driver import PROBLEM

from aar_host.cli import group

pytestmark = pytest.mark.slow


def test_a_pair_is_run_measured_and_not_run_twice(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("AAR_CACHE_DIR", str(tmp_path / "cache"))
    out = tmp_path / "study"
    words = ["study", "directed-vs-undirected", "--out", str(out), "--json", "--repeats", "1"]
    words += ["--problem", str(PROBLEM), "--researchers", "2", "--minutes", "0.4"]
    first = CliRunner().invoke(group, [*words, "--sandbox", "none"])
    found = json.loads(first.stdout)
    assert found["complete"]
    (pair,) = found["pairs"]
    assert all(run["stopped"] in ("time", "budget") for run in pair["conditions"].values())
    assert found["marks"]
    for name in ("directed", "undirected"):
        results = json.loads((out / "01" / name / "results.json").read_text())
        told = {row["direction"] for row in results["researchers"]}
        assert (told == {"undirected"}) == (name == "undirected")
        assert (out / "01" / name / "report.html").exists()
    again = CliRunner().invoke(group, [*words, "--sandbox", "none"])
    assert json.loads(again.stdout) == found
