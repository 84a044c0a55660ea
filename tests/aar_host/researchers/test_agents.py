"""The real Claude Code and Codex in real boxes, against the real host and a scripted model.

They are installed by `make setup`; without them these tests fail.
"""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest
from tests.aar_host.researchers.host import METHOD, calling, hosting, lined, running, silent
from tests.scripted.script import Call, Fault, Reply, Usage
from tests.scripted.server import KEY

from aar_host.researchers.base import Watch, Wire
from aar_host.researchers.claude_code import ClaudeCode
from aar_host.researchers.codex import Codex
from aar_host.researchers.command import Command
from aar_host.researchers.health import classify
from aar_host.researchers.sessions import Patience, Sessions
from aar_host.sandbox import box_python
from aar_host.store.findings import list_findings
from aar_host.store.submissions import get_submission

AGENTS = [(ClaudeCode(), Wire.MESSAGES), (Codex(), Wire.RESPONSES)]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with hosting(tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.fixture
def seat(make):
    """Makes a station of a name at a scripted model; returns it and its line."""
    opened = ExitStack()

    def sit(host, name, script, wire):
        token, data = host.token(name), host.grounds.practice
        desked = opened.enter_context(lined(host, name, script, wire))
        terms = {"token": token, "data": data if data.exists() else None, "line": desked.line}
        return make(socket=host.socket, **terms), desked

    yield sit
    opened.close()


def states(heard):
    return [state for _, state, _ in heard]


def ended(heard):
    """Stops the loop after its first session."""
    return lambda: any(state.startswith("session_") for state in states(heard)[1:])


def found(asked):
    """The submission that the fourth call made."""
    match = re.search(r"submission\W+(\w{12})\b", asked.results[3])
    assert match, asked.results[3]
    return match.group(1)


WAIT = calling("scores", lambda asked: {"submission": found(asked), "wait": 30})
POST = calling("post", lambda asked: {"kind": "result", "body": "Sure.", "cites": [found(asked)]})


def research(source):
    """From the brief to a finding, as long as the host needs for the score."""
    write = f"cat > method.py <<'END'\n{source}END\nlab check method.py && head -3 brief.md"
    first = (
        calling("brief", lambda asked: {}),
        running(write),
        calling("try", lambda asked: {"file": "method.py"}),
        calling("submit", lambda asked: {"file": source}),
    )

    def script(asked):
        if asked.turn < len(first):
            return first[asked.turn](asked)
        last = asked.results[-1]
        if "finding" in last:
            return Reply("I am done.")
        unfinished = re.search(r"status\W+(queued|running)", last)
        return WAIT(asked) if unfinished else POST(asked)

    return script


@pytest.mark.parametrize(("agent", "wire"), AGENTS, ids=lambda value: getattr(value, "name", ""))
def test_a_whole_session(seat, host, heard, agent, wire):
    name = f"of-{agent.name}"
    station, desked = seat(host, name, research(METHOD.replace("Sure", name, 1)), wire)
    Sessions(agent).run(station, ended(heard))
    assert states(heard) == ["session_started", "session_worked", "finished"], heard
    results = desked.model.asked[-1].results
    assert re.search(r'"problem": ?"tiny"', results[0])
    assert f"# You are {name}, a researcher" in results[1]
    assert "agreement" in results[2]
    submission = found(desked.model.asked[-1])
    assert get_submission(host.store, submission).status == "done"
    assert re.search(r'"pgr": ?-?[0-9.]+', results[-2])
    assert list(list_findings(host.store, host.campaign)[-1].cites) == [submission]
    named = [payload["tool"] for kind, payload in desked.recorded if kind == "tool_call"]
    assert len(named) == len(results)
    assert sum("submit" in tool for tool in named) == 1
    assert not desked.model.strangers


PROGRAM = """
import json, os, subprocess, urllib.request
brief = open(os.environ["AAR_BRIEF"]).read()
body = {"model": os.environ["AAR_MODEL"], "messages": [{"role": "user", "content": brief}]}
url = os.environ["AAR_MODEL_URL"] + "/v1/chat/completions"
headers = {"content-type": "application/json"}
request = urllib.request.Request(url, json.dumps(body).encode(), headers)
said = json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]
subprocess.run(["lab", "post", "insight", said], check=True)
"""


def test_any_program_may_sit_there(seat, host, heard):
    station, desked = seat(host, "of-program", lambda asked: Reply("I see."), Wire.CHAT)
    agent = Command([*box_python(), "-c", PROGRAM])
    Sessions(agent, Patience(idle_turns=0)).run(station, ended(heard))
    assert states(heard) == ["session_started", "session_worked", "finished"], heard
    assert "# You are of-program" in desked.model.asked[0].body["messages"][0]["content"]
    assert list_findings(host.store, host.campaign)[-1].body == "I see."


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    budgets = {"seats": {"spender": {"tokens": 100_000}}}
    with silent(tmp_path_factory.mktemp("quiet"), budgets=budgets) as made:
        yield made


def command_of(agent):
    if isinstance(agent, Codex):
        return Call("exec_command", {"cmd": "echo hello"})
    return Call("Bash", {"command": "echo hello"})


def one_session(seat, host, agent, wire, script, name="tester"):
    """How one session ended, and the line."""
    station, desked = seat(host, name, script, wire)
    watch = Watch(lambda: None, lambda line: None, seconds=120.0)
    end = station.session(agent.launch(station, "Do as you are told."), watch)
    return classify(end, station.calls()), desked


CLAUDE, CODEX = AGENTS


@pytest.mark.parametrize(
    ("agent", "wire", "fault", "state"),
    [
        (*CLAUDE, Fault.DROPPED, "dropped"),
        (*CLAUDE, Fault.OVERFLOW, "overflow"),
        (*CLAUDE, Fault.REFUSED, "refused"),
        (*CODEX, Fault.RATE_LIMITED, "rate_limited"),
        (*CODEX, Fault.OVERFLOW, "overflow"),
        (*CODEX, Fault.BAD_KEY, "no_key"),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_provider_that_fails(seat, quiet, agent, wire, fault, state):
    script = lambda asked: Reply("No.", fault=fault)  # noqa: E731
    health, _ = one_session(seat, quiet, agent, wire, script)
    assert health.state == state


@pytest.mark.parametrize(("agent", "wire"), AGENTS, ids=lambda value: getattr(value, "name", ""))
def test_a_malformed_tool_call_is_answered_and_the_session_goes_on(seat, quiet, agent, wire):
    def script(asked):
        if asked.turn == 0:
            return Reply("", [command_of(agent)], fault=Fault.MALFORMED)
        return Reply("", [command_of(agent)]) if asked.turn == 1 else Reply("Done.")

    health, desked = one_session(seat, quiet, agent, wire, script)
    assert health.good
    assert "hello" in desked.model.asked[-1].results[-1]


def test_a_budget_that_is_used_up_ends_the_session(seat, quiet):
    agent, wire = CODEX
    script = lambda asked: Reply("", [command_of(agent)], Usage(60_000))  # noqa: E731
    health, desked = one_session(seat, quiet, agent, wire, script, "spender")
    assert (health.state, health.final) == ("over_budget", True)
    assert len(desked.model.asked) <= 2


MISDEEDS = (
    "yes | head -c 30000000",
    "env; cat /proc/*/environ /run/* 2>&1 | tr '\\0' '\\n' | head -c 4000",
    "python3 -c \"import socket; socket.create_connection(('192.0.2.1', 80), 3)\" 2>&1 | tail -1",
    "kill -9 -1; sleep 60",
)


@pytest.mark.parametrize(("agent", "wire"), AGENTS, ids=lambda value: getattr(value, "name", ""))
def test_an_agent_that_misbehaves_harms_nobody_but_itself(seat, quiet, agent, wire):
    """Giant output, a look for the key, a way out, and then it kills all that it can reach."""

    def script(asked):
        if asked.turn < len(MISDEEDS):
            return running(MISDEEDS[asked.turn])(asked)
        return Reply("Done.")

    health, desked = one_session(seat, quiet, agent, wire, script, f"villain-{agent.name}")
    results = desked.model.asked[-1].results
    assert len(results) == 3, "the last deed has no result"
    assert len(results[0]) < 2_000_000, "the model was not sent all of it"
    assert "AAR_TOKEN" in results[1], "it could read its own environment"
    assert KEY not in "".join(results)
    assert re.search("unreachable|not permitted|refused", results[2], re.IGNORECASE)
    assert health.state in ("crashed", "stalled")
    told = [payload["tool"] for kind, payload in desked.recorded if kind == "tool_call"]
    assert len(told) == 4, "the wire tells even of the call that ended it"
