"""`lab`: generated commands, one JSON document, exit codes, and the shell."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner
from tests.cards import docstring

from aar_lab.cli import group, run, shell
from aar_lab.client import Client
from aar_lab.errors import OverBudget
from aar_lab.tools import VERBS

ERROR = OverBudget("3 submissions", "the pool is used up", "Post a finding.")


def connect() -> Client:
    """A host that knows a brief, refuses submissions and dies or kills on request."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/brief":
            return httpx.Response(200, json={"problem": "chat-mini", "rules": "Ünïcode"})
        if request.url.path == "/v1/leaderboard":
            os.kill(os.getpid(), signal.SIGKILL)
        if request.url.path == "/v1/findings" and request.method == "GET":
            raise ZeroDivisionError
        if request.method == "POST":
            return httpx.Response(201, json=json.loads(request.content))
        return httpx.Response(429, json={"error": ERROR.as_dict()})

    return Client("token", httpx.MockTransport(answer))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_help_with_an_example_and_json(verb):
    shown = CliRunner().invoke(group(connect), [verb.name, "--help"])
    assert shown.exit_code == 0
    assert "Example: lab " + verb.name in shown.output
    assert "--json" in shown.output


def test_success_is_json_or_readable_text(capsys):
    assert run(["brief", "--json"], connect) == 0
    assert json.loads(capsys.readouterr().out)["problem"] == "chat-mini"
    assert run(["brief"], connect) == 0
    assert capsys.readouterr().out == "problem: chat-mini\nrules: Ünïcode\n"


def test_an_error_is_json_on_stdout_or_text_on_stderr(capsys):
    assert run(["scores", "--json"], connect) == 1
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"error": ERROR.as_dict()}, "")
    assert run(["scores"], connect) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{ERROR}\n")


@pytest.mark.parametrize(
    "arguments", [["absent"], ["submit"], ["post", "rumour", "b"], ["scores", "--wait", "x"], []]
)
def test_wrong_usage_ends_with_2_and_one_document(arguments, capsys):
    assert run(arguments, connect) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage" in err
    if arguments:
        assert run([*arguments, "--json"], connect) == 2
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "bad_input"


def test_a_file_is_read_by_the_command_line_and_its_text_handed_in(tmp_path, capsys):
    text = docstring() + "\n\ndef train(task, rng): ...\n"
    (tmp_path / "m.py").write_text(text)
    assert run(["submit", str(tmp_path / "m.py"), "--json"], connect) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["source"], told["card"]["title"]) == (text, "A title")
    assert run(["submit", str(tmp_path / "absent.py"), "--json"], connect) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "bad_input"


def test_options_may_be_repeated_and_empty_text_is_passed_on(capsys):
    assert run(["post", "insight", "", "--cites", "a", "--cites", "b", "--json"], connect) == 0
    assert json.loads(capsys.readouterr().out) == {
        "kind": "insight",
        "body": "",
        "cites": ["a", "b"],
    }


def answers(*lines: str) -> list[dict]:
    out = io.StringIO()
    shell(io.StringIO("".join(f"{line}\n" for line in lines)), out, connect)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_shell_answers_each_line_with_one_line():
    good, spelt, failed, wrong, unquoted = answers(
        "brief", "lab brief", "", "scores", "absent", "post 'insight"
    )
    assert (good["command"], good["exit"], good["output"]["problem"]) == ("brief", 0, "chat-mini")
    assert (spelt["exit"], spelt["output"]) == (0, good["output"])
    assert (failed["exit"], failed["output"]) == (1, {"error": ERROR.as_dict()})
    assert (wrong["exit"], wrong["output"]["error"]["code"]) == (2, "bad_input")
    assert (unquoted["exit"], unquoted["output"]["error"]["code"]) == (2, "bad_input")


def test_the_shell_survives_commands_that_crash_or_are_killed():
    killed, crashed, after = answers("leaderboard", "findings", "brief")
    assert killed["exit"] == -signal.SIGKILL
    assert "SIGKILL" in killed["output"]["error"]["fault"]
    assert (crashed["exit"], crashed["output"]["error"]["code"]) == (1, "job_failed")
    assert after["exit"] == 0


def test_arguments_that_look_like_options_reach_the_verb():
    (answer,) = answers('post insight -- "--odd text"')
    assert answer["output"]["body"] == "--odd text"


def test_bytes_that_are_no_text_get_an_answer_too():
    done = subprocess.run(
        [sys.executable, "-m", "aar_lab.cli", "shell"],
        input=b"\xff\xfe\nbrief\n",
        capture_output=True,
        timeout=60,
        env={"PATH": os.environ["PATH"]},
    )
    codes = [json.loads(line)["exit"] for line in done.stdout.splitlines()]
    assert (done.returncode, codes) == (0, [2, 1])


def test_the_command_line_imports_nothing_heavy():
    heavy = "{'torch', 'scipy', 'transformers', 'matplotlib', 'sqlalchemy', 'fastapi', 'mcp'}"
    code = f"import sys, aar_lab.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"
