"""The command `aar`: documents, errors, help."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from aar_host.cli import COMMANDS, group


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AAR_CACHE_DIR", str(tmp_path / "cache"))


def aar(*words: str) -> Result:
    return CliRunner().invoke(group, words)


def error_of(result: Result) -> dict[str, str]:
    assert result.exit_code == 1
    return json.loads(result.stdout)["error"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_json(command):
    shown = aar(command, "--help").stdout
    assert f"Example: aar {command}" in shown
    assert "--json" in shown


def test_problems_and_methods_are_lists():
    problems = json.loads(aar("problems", "--json").stdout)
    assert [row["name"] for row in problems] == ["chat-mini", "math-mini", "code-mini"]
    methods = json.loads(aar("methods", "--json").stdout)
    assert {"naive", "soft", "confident", "logconf", "self_distill"} <= {m["name"] for m in methods}


@pytest.mark.parametrize(
    "words",
    [("prepare", "chess"), ("anchors", "chess"), ("pretrain", "chess", "--student", "M")],
)
def test_a_wrong_problem_is_named_with_those_that_exist(words):
    error = error_of(aar(*words, "--json"))
    assert error["code"] == "unknown_name"
    assert error["value"] == "chess"
    assert "chat-mini" in error["remedy"]


def test_a_wrong_problem_is_told_before_a_campaign_is_laid_out(tmp_path):
    out = tmp_path / "run"
    error = error_of(aar("run", "--problem", "chess", "--out", str(out), "--json"))
    assert error["code"] == "unknown_name"
    assert not out.exists()


def test_too_few_seeds_are_refused():
    error = error_of(aar("anchors", "chat-mini", "--seeds", "3", "--json"))
    assert error["code"] == "too_few_seeds"


@pytest.mark.parametrize(
    "words", [("--researchers", "0"), ("--researchers", "10"), ("--minutes", "0")]
)
def test_a_campaign_out_of_range_is_refused(words, tmp_path):
    error = error_of(aar("run", *words, "--out", str(tmp_path / "run"), "--json"))
    assert error["code"] == "bad_settings"


def test_a_wrong_setting_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("AAR_WORKERS", "many")
    error = error_of(aar("run", "--out", str(tmp_path / "run"), "--json"))
    assert error["code"] == "bad_settings"
    assert "AAR_WORKERS=many" in error["value"]


def test_an_unknown_base_model_is_named(tmp_path):
    words = ("pretrain", "chat-mini", "--student", "XL", "--out", str(tmp_path))
    assert error_of(aar(*words, "--json"))["code"] == "unknown_name"


def test_errors_without_json_go_to_stderr():
    result = aar("prepare", "chess")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "no such problem" in result.stderr


def test_prepare_is_repeatable():
    first = json.loads(aar("prepare", "chat-mini", "--json").stdout)
    again = json.loads(aar("prepare", "chat-mini", "--json").stdout)
    other = json.loads(aar("prepare", "chat-mini", "--data-seed", "1", "--json").stdout)
    assert first == again
    assert other["digest"] != first["digest"]


def test_doctor_lists_checks():
    found = json.loads(aar("doctor", "--json").stdout)
    assert {"python", "torch", "settings", "sandbox", "limits", "disk", "base models"} == {
        check["name"] for check in found["checks"]
    }
    assert found["ok"] == all(check["ok"] for check in found["checks"])


def test_doctor_says_that_no_sandbox_is_no_sandbox(monkeypatch):
    monkeypatch.setenv("AAR_SANDBOX", "none")
    found = json.loads(aar("doctor", "--json").stdout)
    sandbox = next(check for check in found["checks"] if check["name"] == "sandbox")
    assert not sandbox["ok"]
    assert sandbox["remedy"]


@pytest.mark.parametrize(
    "words",
    [("report", "nowhere", "--json"), ("run", "--researchers", "x", "--json"), ("fly", "--json")],
)
def test_wrong_usage_is_json_where_json_was_asked_for(words):
    script = [sys.executable, "-c", "from aar_host.cli import main; main()", *words]
    ended = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert json.loads(ended.stdout)["error"]["code"] == "bad_input"


def test_a_cache_that_cannot_be_written_is_a_typed_error(monkeypatch):
    monkeypatch.setenv("AAR_CACHE_DIR", "/proc/nowhere")
    assert error_of(aar("prepare", "chat-mini", "--json"))["code"] == "unavailable"


def test_a_directory_that_boxes_hold_is_refused():
    error = error_of(aar("run", "--out", "/usr/local/aar-run", "--json"))
    assert error["code"] == "bad_settings"
    assert "every box holds /usr" in error["fault"]


def test_doctor_fails_where_something_is_missing(monkeypatch):
    monkeypatch.setenv("AAR_WORKERS", "many")
    result = aar("doctor", "--json")
    assert result.exit_code == 1
    settings = next(c for c in json.loads(result.stdout)["checks"] if c["name"] == "settings")
    assert "AAR_WORKERS=many" in settings["found"]
