"""Sessions at a seat: any program in a real box, followed and cut by the host."""

from __future__ import annotations

import json
import sys
import threading

import pytest
from tests.scripted.script import Reply
from tests.scripted.server import scripted

from aar_host.researchers.base import CallOutcome, Cut, Launch, Watch, Wire
from aar_host.researchers.line import CallLog, Line
from aar_host.sandbox import box_python
from aar_lab.errors import BadSettings, Unavailable
from aar_lab.types import JobStatus

ASK_MODEL = """
import os, urllib.request
url = "http://127.0.0.1:8377/v1/chat/completions"
body = b'{"model": "m", "messages": []}'
request = urllib.request.Request(url, body, {"content-type": "application/json"})
print(urllib.request.urlopen(request).read().decode())
"""


def program(source, **more):
    return Launch([*box_python(), "-c", source], **{"relay": False, **more})


class Watcher:
    """Keeps what a session prints; cuts it when told to."""

    def __init__(self, **more):
        self.lines, self.why = [], None
        self.watch = Watch(lambda: self.why, self.lines.append, **more)


@pytest.fixture
def line(tmp_path):
    """A line to a scripted model, without a forwarder in between."""
    log = CallLog()
    with scripted(lambda asked: Reply("Hello."), key="", path=tmp_path / "model.sock"):
        yield Line("scripted", Wire.CHAT, tmp_path / "model.sock", log.since), log


def test_a_program_runs_to_its_end(make):
    watcher = Watcher()
    source = "import os,sys; print(open('in.txt').read()); print(sys.stdin.read(), os.environ['A'])"
    launch = program(source, files={"in.txt": "given"}, stdin="read", environment={"A": "b"})
    end = make().session(launch, watcher.watch)
    assert (end.status, end.code, end.cut) == (JobStatus.DONE, 0, None)
    assert watcher.lines == [b"given", b"read b"]


def test_a_program_that_fails(make):
    end = make().session(program("import sys; sys.exit('no good')"), Watcher().watch)
    assert (end.status, end.code, end.cut) == (JobStatus.CRASHED, 1, None)
    assert "no good" in end.log


def test_it_reaches_its_model_over_loopback(make, line):
    watcher = Watcher()
    station = make(line=line[0])
    end = station.session(program(ASK_MODEL, relay=True), watcher.watch)
    assert end.code == 0, end.log
    assert json.loads(watcher.lines[0])["choices"][0]["message"]["content"] == "Hello."
    assert (station.model, station.wire) == ("scripted", Wire.CHAT)


def test_calls_are_told_by_number(make, line):
    station = make(line=line[0])
    line[1].tell(CallOutcome.OK, ("submit",))
    line[1].tell(CallOutcome.REFUSED)
    assert [note.number for note in station.calls()] == [1, 2]
    assert [note.outcome for note in station.calls(1)] == [CallOutcome.REFUSED]


def test_without_a_model(make):
    station = make()
    assert (station.model, station.wire, station.calls()) == (None, None, ())
    with pytest.raises(BadSettings, match="its seat has none"):
        station.session(program("pass", relay=True), Watcher().watch)


@pytest.mark.parametrize(
    ("source", "limits", "cut"),
    [
        ("import time; time.sleep(60)", {"seconds": 0.5}, Cut.TIME),
        ("while True: print('x' * 100000)", {"bytes": 10 << 20}, Cut.FLOOD),
    ],
)
def test_limits_of_a_session(make, source, limits, cut):
    watcher = Watcher(**limits)
    end = make().session(program(source), watcher.watch)
    assert (end.cut, end.status) == (cut, JobStatus.CANCELLED)


def test_a_cut_by_the_watch(make):
    watcher = Watcher()
    watcher.why = Cut.IDLE
    end = make().session(program("import time; time.sleep(60)"), watcher.watch)
    assert (end.cut, end.status) == (Cut.IDLE, JobStatus.CANCELLED)


def test_a_program_that_closes_its_output_is_still_cut(make):
    watcher = Watcher(seconds=1.0)
    source = "import os, time; os.close(1); time.sleep(60)"
    assert make().session(program(source), watcher.watch).cut is Cut.TIME


def test_a_line_without_end_is_shortened(make):
    watcher = Watcher()
    make().session(program("print('x' * (3 << 20)); print('next')"), watcher.watch)
    assert [len(line) for line in watcher.lines] == [1 << 20, 4]


def test_input_that_nobody_reads(make):
    end = make().session(program("pass", stdin="x" * (1 << 20)), Watcher().watch)
    assert end.code == 0


def test_closing_the_seat_ends_the_session(make):
    station = make()
    closing = threading.Timer(0.5, station.close)
    closing.start()
    end = station.session(program("import time; time.sleep(60)"), Watcher().watch)
    closing.join()
    assert end.cut is Cut.STOPPED
    with pytest.raises(Unavailable, match="closed"):
        station.session(program("pass"), Watcher().watch)


def test_the_verbs_work_after_a_session(make):
    station = make()
    station.session(program("pass"), Watcher().watch)
    with pytest.raises(Unavailable, match="does not answer"):
        station.lab("brief")


def test_a_process_of_the_host_reads_what_its_boxes_shall_be(make, line):
    watcher = Watcher()
    source = "import json, os, sys; d = json.load(sys.stdin); d['env'] = dict(os.environ); print(json.dumps(d))"  # noqa: E501
    launch = Launch(
        [sys.executable, "-I", "-c", source],
        outside=True,
        stdin=json.dumps({"model": "m"}),
        environment={"AGENT": "1"},
    )
    end = make(line=line[0]).session(launch, watcher.watch)
    assert end.code == 0, end.log
    told = json.loads(watcher.lines[0])
    assert told["model"] == "m"
    box = told["box"]
    assert box["sandbox"] == "bubblewrap"
    assert set(box["sockets"]) == {"/run/host.sock", "/run/model.sock"}
    assert box["environment"]["AAR_TOKEN"] == "secret"
    assert set(box["mounts"]) == {"/data"}
    assert set(told["env"]) - {"LC_CTYPE"} == {"PATH", "LANG", "AAR_BOX_DIR", "AGENT"}
