"""The real Claude Code and Codex in real boxes, against the real host and a scripted model.

They are installed by `make setup`; without them these tests fail.
"""

from __future__ import annotations

import re

import pytest
from tests.aar_host.researchers.host import METHOD, calling, hosting, noted, running
from tests.scripted.script import Reply
from tests.scripted.server import scripted

from aar_host.researchers.base import Wire
from aar_host.researchers.claude_code import ClaudeCode
from aar_host.researchers.codex import Codex
from aar_host.researchers.line import CallLog, Line
from aar_host.researchers.sessions import Sessions
from aar_host.store.findings import list_findings
from aar_host.store.submissions import get_submission

AGENTS = [(ClaudeCode(), Wire.MESSAGES), (Codex(), Wire.RESPONSES)]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with hosting(tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.fixture
def seat(make, tmp_path):
    """Makes a station at a scripted model; returns it and the model."""
    opened = []

    def sit(script, wire, **more):
        log, path = CallLog(), tmp_path / "model.sock"
        opened.append(scripted(noted(script, log), key="", path=path))
        server = opened[-1].__enter__()
        return make(line=Line("scripted", wire, path, log.since), **more), server

    yield sit
    for one in opened:
        one.__exit__(None, None, None)


def states(heard):
    return [state for _, state, _ in heard]


def ended(heard):
    """Stops the loop after its first session."""
    return lambda: any(state.startswith("session_") for state in states(heard)[1:])


WRITE = f"cat > method.py <<'END'\n{METHOD}END\nlab check method.py && head -3 brief.md"


def found(asked):
    return re.search(r"submission\W+(\w{12})\b", asked.results[-1]).group(1)


FIRST = (
    calling("brief", lambda asked: {}),
    running(WRITE),
    calling("try", lambda asked: {"file": "method.py"}),
    calling("submit", lambda asked: {"file": METHOD}),
)
WAIT = calling("scores", lambda asked: {"submission": found(asked), "wait": 30})
POST = calling("post", lambda asked: {"kind": "result", "body": "Sure.", "cites": [found(asked)]})


def research(asked):
    """From the brief to a finding, as long as the host needs for the score."""
    if asked.turn < len(FIRST):
        return FIRST[asked.turn](asked)
    last = asked.results[-1]
    if "finding" in last:
        return Reply("I am done.")
    unfinished = re.search(r"status\W+(queued|running)", last)
    return WAIT(asked) if unfinished else POST(asked)


@pytest.mark.parametrize(("agent", "wire"), AGENTS, ids=lambda value: getattr(value, "name", ""))
def test_a_whole_session(seat, host, heard, agent, wire):
    name = f"of-{agent.name}"
    at_host = {"socket": host.socket, "token": host.token(name), "data": host.grounds.practice}
    station, model = seat(research, wire, **at_host)
    Sessions(agent).run(station, ended(heard))
    assert states(heard) == ["session_started", "session_worked", "finished"], heard
    results = model.asked[-1].results
    assert re.search(r'"problem": ?"tiny"', results[0])
    assert f"# You are {name}, a researcher" in results[1]
    assert "agreement" in results[2]
    submission = found(model.asked[-1])
    assert get_submission(host.store, submission).status == "done"
    assert re.search(r'"pgr": ?-?[0-9.]+', results[-2])
    assert list_findings(host.store, host.campaign)[-1].cites == (submission,)
