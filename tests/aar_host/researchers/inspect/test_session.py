"""Whole sessions: the real Inspect, boxes, host and forwarder; models that follow a script."""

from __future__ import annotations

import itertools
import json
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log
from tests.aar_host.researchers.host import METHOD, calling, hosting, lined, silent
from tests.scripted.script import Call, Fault, Reply, Usage

from aar_host.researchers.base import Cut, Watch, Wire
from aar_host.researchers.health import classify
from aar_host.researchers.inspect import Bounds, Inspect, Prices, mend_logs
from aar_host.researchers.line import CallLog, Line
from aar_host.researchers.sessions import Sessions
from aar_host.store.findings import list_findings
from aar_host.store.submissions import list_submissions
from aar_lab.types import JobStatus

NUMBERS = itertools.count()
MOCKED = (sys.executable, "-I", str(Path(__file__).with_name("mocked.py")))


class Inspected(Inspect):
    """Without a host that could tell how much time is left."""

    def _bounds(self, station):
        return self.bounds


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    with silent(tmp_path_factory.mktemp("quiet")) as made:
        yield made


@pytest.fixture
def run(make, quiet, tmp_path):
    """Runs one session at a scripted model; returns its end, what it told, the log, the line."""
    opened = ExitStack()

    def session(script, wire=Wire.CHAT, **bounds):
        name = f"seat-{next(NUMBERS)}"
        token = quiet.token(name)
        desked = opened.enter_context(lined(quiet, name, script, wire))
        station = make(socket=quiet.socket, token=token, line=desked.line)
        told = []
        launch = Inspected(tmp_path, Bounds(**bounds)).launch(station, "Do research.")
        end = station.session(launch, Watch(lambda: None, told.append))
        return end, [json.loads(line) for line in told], read_log(tmp_path), desked

    yield session
    opened.close()


def log_of(folder):
    (path,) = (folder / "researchers" / "ada" / "inspect").glob("*.eval")
    return path


def read_log(folder):
    return read_eval_log(str(log_of(folder)))


def tool(name, **arguments):
    return Reply("", [Call(name, arguments)])


def in_turn(*replies):
    """By the number of tool results; then it says that it is done."""
    return lambda asked: replies[asked.turn](asked) if asked.turn < len(replies) else Reply("Done.")


def test_from_the_brief_to_a_finding(make, heard, tmp_path, monkeypatch):
    monkeypatch.setenv("HOST_KEY", "sk-of-the-host")
    (tmp_path / "host").mkdir()
    with hosting(tmp_path / "host") as host:
        line = Line("mockllm/model", Wire.CHAT, tmp_path / "none.sock", CallLog().since)
        terms = {"token": host.token("ada"), "data": host.grounds.practice, "line": line}
        station = make(socket=host.socket, **terms)
        station.write("given.py", METHOD)
        stop = lambda: any(s.startswith("session_") for _, s, _ in heard[1:])  # noqa: E731
        Sessions(Inspect(tmp_path, program=MOCKED)).run(station, stop)
        messages = read_log(tmp_path).samples[0].messages
        results = [m.text for m in messages if m.role == "tool"]
        assert "tiny" in results[0]
        assert results[1].strip() == "# You are ada, a researcher"
        assert "Sure labels" in results[2]
        assert results[4] == "Replaced one passage of methods/one.py."
        assert "agreement" in results[5]
        (submission,) = list_submissions(host.store, host.campaign)
        assert submission.status == "done"
        assert '"pgr"' in results[-2]
        assert list_findings(host.store, host.campaign)[-1].cites == [submission.id]
        assert "XDG_DATA_HOME" in messages[-1].text
        assert "HOST_KEY" not in messages[-1].text
        assert terms["token"].encode() not in log_of(tmp_path).read_bytes()


HOSTILE = (
    calling("check", lambda asked: {"file": "x = 1\n"}),
    lambda asked: tool("bash", command="yes | head -c 30000000"),
    lambda asked: Reply("", [Call("bash", {"command": "true"})], fault=Fault.MALFORMED),
    lambda asked: tool("python", code="import os; print(sorted(os.environ), os.listdir('/run'))"),
    lambda asked: tool(
        "bash", command="python3 -c \"import socket; socket.create_connection(('1.1.1.1', 80), 2)\""
    ),
    lambda asked: tool("bash", command="cat /proc/*/environ | tr '\\0' '\\n' | grep -c HOST_KEY"),
    lambda asked: tool("no_such_tool"),
    lambda asked: tool("edit", path="/etc/passwd", new="root"),
    lambda asked: tool("edit", path="a/b.txt", new="ünï"),
    lambda asked: tool("bash", command="cat a/b.txt; exit 3"),
)


@pytest.mark.parametrize(
    "wire", [Wire.CHAT, *(pytest.param(w, marks=pytest.mark.slow) for w in Wire if w != Wire.CHAT)]
)
def test_what_a_model_may_do_and_may_not(run, monkeypatch, wire):
    monkeypatch.setenv("HOST_KEY", "sk-of-the-host")
    end, told, log, desked = run(in_turn(*HOSTILE), wire)
    assert (end.status, end.code) == (JobStatus.DONE, 0), end.log
    assert classify(end, desked.line.calls(0)).good
    results = desked.model.asked[-1].results
    assert len(results) == 10, results
    checked, giant, malformed, names, network, environ, unknown, outside, wrote, read = results
    assert "violations" in checked
    assert len(giant) < 40_000
    assert "limit" in giant
    assert "rror" in malformed
    assert "AAR_TOKEN" in names
    assert "HOST_KEY" not in names
    assert "model.sock" not in names
    assert "unreachable" in network
    assert environ.strip().splitlines()[-1] == "0"
    assert "not found" in unknown
    assert "Read-only" in outside or "denied" in outside
    assert wrote == "Wrote a/b.txt."
    assert read == "ünï"
    assert (told[0]["event"], told[-1]["event"]) == ("started", "ended")
    assert [t["tool"] for t in told if t["event"] == "tool"].count("bash") >= 4
    calls = [t for t in told if t["event"] == "model"]
    assert len(calls) == len(desked.model.asked)
    assert {call["output"] for call in calls} == {20}
    assert log.status == "success"
    assert not desked.model.strangers


@pytest.mark.parametrize(
    ("bounds", "limit"),
    [
        ({"dollars": 0.001, "prices": Prices(2.0, 2.0, 2.0, 2.0)}, "cost"),
        pytest.param({"seconds": 3}, "time", marks=pytest.mark.slow),
    ],
)
def test_an_endless_loop_is_bounded(run, bounds, limit):
    end, told, log, _ = run(lambda asked: tool("bash", command="sleep 0.2"), **bounds)
    assert end.code == 0, end.log
    assert told[-1] | {"log": ""} == {
        "event": "ended",
        "status": "success",
        "limit": limit,
        "log": "",
    }
    assert log.samples[0].limit.type == limit


@pytest.mark.slow
def test_one_that_only_talks_ends(run):
    end, _, _, desked = run(lambda asked: Reply("I think."), idle_turns=2)
    assert end.code == 0
    assert len(desked.model.asked) == 2
    assert classify(end, desked.line.calls(0)).state == "no_work"


@pytest.mark.slow
def test_a_long_conversation_is_summed_up(run):
    def script(asked):
        if "bash" not in asked.tools:
            return Reply("<summary>It went well.</summary>", usage=Usage(input=100))
        if asked.turn < 2 and "It went well" not in str(asked.body):
            return Reply("", [Call("bash", {"command": "seq 3000"})], Usage(input=9000))
        return Reply("Done.", usage=Usage(input=100))

    end, told, _, desked = run(script, context_tokens=10_000, idle_turns=1)
    assert end.code == 0, end.log
    assert "compaction" in [event["event"] for event in told]
    assert "It went well" in str(desked.model.asked[-1].body)


def test_a_provider_that_fails(run):
    end, told, log, desked = run(lambda asked: Reply(fault=Fault.BAD_KEY))
    assert end.code == 1
    assert classify(end, desked.line.calls(0)).state == "no_key"
    assert (told[-1]["status"], log.status) == ("error", "error")


def test_a_session_that_is_cut(make, quiet, tmp_path):
    token = quiet.token("cut")
    script = lambda asked: tool("bash", command="sleep 0.2")  # noqa: E731
    with lined(quiet, "cut", script, Wire.CHAT) as desked:
        station = make(socket=quiet.socket, token=token, line=desked.line)
        launch = Inspected(tmp_path).launch(station, "Do research.")
        told = []
        cut = lambda: Cut.STOPPED if len(told) > 12 else None  # noqa: E731
        end = station.session(launch, Watch(cut, told.append))
        assert end.cut is Cut.STOPPED
    assert (read_log(tmp_path).status, read_log(tmp_path).samples) == ("started", [])
    mend_logs(tmp_path)
    (sample,) = read_log(tmp_path).samples
    assert [m.role for m in sample.messages].count("tool") >= 3
    assert read_log(tmp_path).status != "started"
