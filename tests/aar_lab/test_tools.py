"""The verbs: cards read without executing anything, files written, waiting."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.cards import card_with, docstring

from aar_lab.client import Client
from aar_lab.errors import BadInput, BadSource
from aar_lab.tools import (
    VERBS,
    brief,
    check,
    findings,
    lineage,
    scores,
    snapshot,
    submit,
    vote,
    without_box,
)
from aar_lab.verbs import read_source

NAME = "3f2a90b1c4de"
METHOD = docstring() + "\n\ndef train(task, rng): ...\n"


def test_every_verb_is_complete_and_named_once():
    names = [verb.name for verb in VERBS]
    assert len(set(names)) == len(names)
    for verb in VERBS:
        assert callable(verb.load())
        assert verb.example.startswith(f"lab {verb.name}")
        assert verb.summary.endswith(".")
        assert all(parameter.help for parameter in verb.parameters)


def test_without_a_box_nothing_runs_and_nothing_names_a_path():
    away = {verb.name: verb for verb in without_box()}
    assert {verb.name for verb in VERBS} - set(away) == {"try", "predict"}
    assert all(p.kind is not Path for verb in away.values() for p in verb.parameters)
    assert [p.name for p in away["findings"].parameters] == ["since", "limit"]
    assert len(away["submit"].parameters) == 3


def test_checking_a_source_names_every_line_at_fault_and_asks_nobody():
    source = docstring() + "import os\n\n\ndef train(task, rng):\n    task.truth\n"
    told = check(no_host, source)
    assert (told["ok"], [fault["line"] for fault in told["violations"]]) == (False, [3, 7])
    assert all(fault["remedy"] for fault in told["violations"])
    assert check(no_host, METHOD) == {"ok": True, "violations": []}


def test_checking_a_source_compares_its_card_with_its_code():
    source = docstring(card_with(hyperparameters={"epochs": 3})) + "EPOCHS = 30\n"
    (fault,) = check(no_host, source)["violations"]
    assert (fault["line"], fault["found"]) == (3, "epochs is 3 on the card, 30 in the code")
    source = '"""A title."""\nimport os\n'
    assert [fault["found"] for fault in check(no_host, source)["violations"]] == [
        "import of os",
        "docstring",
    ]


def no_host():
    raise AssertionError("the host was asked")


def test_files_that_cannot_be_read_are_typed_errors(tmp_path):
    (tmp_path / "latin").write_bytes(b"\xe9")
    (tmp_path / "long").write_bytes(b"#" * 65_537)
    for name, error in (("absent", BadInput), ("latin", BadSource), ("long", BadSource)):
        with pytest.raises(error, match=name):
            read_source(tmp_path / name)
    with pytest.raises(BadInput, match="directory"):
        read_source(tmp_path)
    (tmp_path / "long").write_bytes(b"#" * 10)
    assert read_source(tmp_path / "long", 10) == "#" * 10
    with pytest.raises(BadSource, match="more than 9 bytes"):
        read_source(tmp_path / "long", 9)


class Host:
    """A host whose submission is done after some questions; it remembers what it was asked."""

    def __init__(self, questions: int) -> None:
        self.questions, self.waits = questions, []

    def connect(self) -> Client:
        return Client("token", httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json={"submission": NAME, "status": "queued"})
        self.waits.append(float(request.url.params["wait"]))
        status = "done" if len(self.waits) >= self.questions else "running"
        return httpx.Response(200, json={"submission": NAME, "status": status})


def test_submitting_does_not_wait_unless_asked():
    host = Host(1)
    assert submit(host.connect, METHOD)["status"] == "queued"
    assert host.waits == []
    assert submit(host.connect, METHOD, wait=5)["status"] == "done"


def test_waiting_asks_in_bounded_steps_until_the_end():
    host = Host(3)
    assert scores(host.connect, NAME, wait=100)["status"] == "done"
    assert host.waits[0] == 30
    assert len(host.waits) == 3


def test_waiting_ends_when_its_time_is_over():
    host = Host(10**9)
    assert scores(host.connect, NAME, wait=0.05)["status"] == "running"
    assert host.waits[-1] == 0


def answering(body):
    """Connects to a host that always gives the same answer, and the list of what it was asked."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=body)

    return (lambda: Client("token", httpx.MockTransport(answer))), seen


def test_a_vote_is_said_in_words():
    connect, seen = answering({"finding": NAME, "votes": {}})
    for direction in ("up", "down"):
        vote(connect, NAME, direction)
    assert [json.loads(request.content) for request in seen] == [{"value": 1}, {"value": -1}]


def test_findings_go_on_where_the_last_page_ended(tmp_path):
    connect, seen = answering({"findings": [], "votes": [], "last": 9})
    assert findings(connect, 7, 2, tmp_path) == {"files": ["INDEX.md"], "last": 9}
    assert seen[0].url.query == b"since=7&limit=2"


def test_a_snapshot_becomes_files(tmp_path):
    files = {"method.py": "x = 1\r\n", "card.json": "{}"}
    connect, _ = answering({"submission": NAME, "digest": "d", "files": files})
    assert snapshot(connect, "get", NAME)["files"] == files
    assert snapshot(connect, "get", NAME, tmp_path / "a" / "b")["files"] == list(files)
    assert (tmp_path / "a" / "b" / "method.py").read_bytes() == b"x = 1\r\n"


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 90, "a\0"])
def test_a_snapshot_leaves_its_folder_never(tmp_path, name):
    connect, _ = answering({"submission": NAME, "digest": "d", "files": {name: "x"}})
    with pytest.raises(BadInput, match="plain file name"):
        snapshot(connect, "get", NAME, tmp_path / "in")
    assert list(tmp_path.iterdir()) == []


def test_a_lineage_is_told_as_a_tree_too():
    node = {"submission": NAME, "author": "ada", "title": "T", "status": "done", "score": None}
    connect, _ = answering({"nodes": [node], "edges": []})
    assert lineage(connect)["text"] == f"{NAME} ada, done: T"


def test_the_brief_names_the_folder_of_the_forum_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("AAR_BOX_ROOT", str(tmp_path))
    connect, _ = answering({"problem": "p"})
    assert brief(connect) == {"problem": "p"}
    (tmp_path / "forum").mkdir()
    assert brief(connect) == {"problem": "p", "forum": str(tmp_path / "forum")}
