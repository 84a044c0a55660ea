"""The verbs: cards read without executing anything, files written, waiting."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_lab.client import Client
from aar_lab.errors import BadInput, BadSource
from aar_lab.tools import (
    VERBS,
    brief,
    check,
    findings,
    lineage,
    read_card,
    read_source,
    scores,
    snapshot,
    submit,
    vote,
)
from aar_lab.types import FAMILIES, MethodCard

NAME = "3f2a90b1c4de"
METHOD = (
    '"""A title\n\nAn idea\nover lines.\n"""\n\nFAMILY = "ensemble"\n\ndef train(task, rng): ...\n'
)


def test_every_verb_is_complete_and_named_once():
    names = [verb.name for verb in VERBS]
    assert len(set(names)) == len(names)
    for verb in VERBS:
        assert callable(verb.load())
        assert verb.example.startswith(f"lab {verb.name}")
        assert verb.summary.endswith(".")
        assert all(parameter.help for parameter in verb.parameters)


def test_checking_a_file_names_every_line_at_fault_and_asks_nobody(tmp_path):
    path = tmp_path / "method.py"
    path.write_text("import os\n\n\ndef train(task, rng):\n    return task.truth\n")
    told = check(no_host, path)
    assert (told["ok"], [fault["line"] for fault in told["violations"]]) == (False, [1, 5])
    assert all(fault["remedy"] for fault in told["violations"])
    path.write_text(METHOD)
    assert check(no_host, path) == {"ok": True, "violations": []}


def no_host():
    raise AssertionError("the host was asked")


def test_a_card_is_read_from_the_docstring_and_family():
    assert read_card(METHOD) == MethodCard("A title", "An idea\nover lines.", "ensemble")


def test_a_title_alone_is_its_own_idea_and_family_other():
    assert read_card('"""Only a title."""') == MethodCard("Only a title.", "Only a title.", "other")


def test_reading_a_card_executes_nothing(tmp_path):
    touched = tmp_path / "touched"
    read_card(METHOD + f"open({str(touched)!r}, 'w').close()\n")
    assert not touched.exists()


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("x = 1", BadSource, "docstring"),
        ("if:", BadSource, "not Python"),
        ("(" * 300, BadSource, "not Python"),
        ('"""t"""\nFAMILY = 3', BadSource, "line 2"),
        ('"""t"""\nFAMILY = "x" + "y"', BadSource, "FAMILY"),
        ('"""t"""\nFAMILY = "magic"', BadInput, "unknown family"),
        ('"""' + "t" * 121 + '"""', BadInput, "title"),
    ],
)
def test_bad_cards_are_refused(text, error, words):
    with pytest.raises(error, match=words):
        read_card(text)


@given(family=st.sampled_from(FAMILIES), title=st.from_regex(r"[A-Za-z]{1,100}", fullmatch=True))
def test_any_good_card_survives_its_file(family, title):
    assert read_card(f'"""{title}\n\nidea"""\nFAMILY = {family!r}') == MethodCard(
        title, "idea", family
    )


def test_files_that_cannot_be_read_are_typed_errors(tmp_path):
    (tmp_path / "latin").write_bytes(b"\xe9")
    (tmp_path / "long").write_bytes(b"#" * 65_537)
    for name, error in (("absent", BadInput), ("latin", BadSource), ("long", BadSource)):
        with pytest.raises(error, match=name):
            read_source(tmp_path / name)
    with pytest.raises(BadInput, match="directory"):
        read_source(tmp_path)


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


def test_submitting_does_not_wait_unless_asked(tmp_path):
    (tmp_path / "m.py").write_text(METHOD)
    host = Host(1)
    assert submit(host.connect, tmp_path / "m.py")["status"] == "queued"
    assert host.waits == []
    assert submit(host.connect, tmp_path / "m.py", wait=5)["status"] == "done"


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
