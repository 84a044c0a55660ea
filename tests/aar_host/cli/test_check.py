"""`aar check-problem`: a table for people, one document for programs, exit code 1 for a fault."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.own_problem import changed, small

from aar_host.cli import group
from aar_host.cli.check import judged


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AAR_CACHE_DIR", str(tmp_path / "cache"))


def check(folder: Path, text: str, *options: str) -> Result:
    path = folder / "mine.py"
    path.write_text(text)
    return CliRunner().invoke(group, ("check-problem", str(path), *options))


def test_a_problem_that_keeps_the_rules(tmp_path: Path) -> None:
    result = check(tmp_path, small(), "--json")
    body = json.loads(result.stdout)
    assert (result.exit_code, body["ok"]) == (0, True)
    assert body["checks"][0]["name"] == "loads"
    assert {frozenset(one) for one in body["checks"]} == {
        frozenset(("name", "ok", "found", "remedy"))
    }


def test_a_broken_rule_ends_with_1_and_a_remedy(tmp_path: Path) -> None:
    broken = changed(small(), "weak_problems=10", "weak_problems=20")
    result = check(tmp_path, broken, "--json")
    body = json.loads(result.stdout)
    assert (result.exit_code, body["ok"]) == (1, False)
    (failed,) = [one for one in body["checks"] if not one["ok"]]
    assert failed["name"] == "sizes"
    assert "weak supervisors" in failed["remedy"]
    shown = check(tmp_path, broken)
    assert shown.exit_code == 1
    assert "FAIL" in shown.stdout


def test_a_file_that_does_not_load_is_no_crash(tmp_path: Path) -> None:
    result = check(tmp_path, "import nothing_such\n", "--train", "--json")
    assert result.exit_code == 1
    (only,) = json.loads(result.stdout)["checks"]
    assert "line 1" in only["found"]


def test_what_is_broken_is_not_trained(tmp_path: Path) -> None:
    broken = changed(small(), "weak_problems=10", "weak_problems=20")
    names = [
        one["name"]
        for one in json.loads(check(tmp_path, broken, "--train", "--json").stdout)["checks"]
    ]
    assert "train" not in names


@pytest.mark.parametrize(("ceiling", "ok"), [(0.7, True), (0.6, False), (0.5, False)])
def test_a_ceiling_that_leaves_no_gap_is_refused(ceiling: float, ok: bool) -> None:
    found = judged([0.5, 0.7], ceiling)
    assert (found.ok, bool(found.remedy)) == (ok, not ok)


def test_training_measures_weak_and_ceiling(tmp_path: Path) -> None:
    text = changed(small(), "Pretraining(2_000_000)", "Pretraining(20_000)")
    text = changed(text, "Pretraining(200_000)", "Pretraining(2_000)")
    result = check(tmp_path, text, "--train", "--json")
    (trained,) = [one for one in json.loads(result.stdout)["checks"] if one["name"] == "train"]
    weak, ceiling = map(float, re.findall(r"(?:weak|ceiling) ([\d.]+)", trained["found"]))
    assert 0 < weak < 1
    assert trained["ok"] == (ceiling > weak) == (result.exit_code == 0)
