"""The verbs: sources and cards checked, findings as files, waiting."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cards import card_with, docstring

from aar_lab.client import Client
from aar_lab.errors import BadInput, BadSource
from aar_lab.tools import (
    VERBS,
    check,
    read_source,
    scores,
    submit,
    without_box,
    write_findings,
)

NAME = "3f2a90b1c4de"
METHOD = docstring() + "\n\ndef train(task, rng): ...\n"


def finding(number=7, body="It works.", **more):
    return {
        "number": number,
        "author": "ada",
        "kind": "result",
        "body": body,
        "cites": [],
        "scores": {},
    } | more


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
    assert {verb.name for verb in VERBS} - set(away) == {"try"}
    assert all(p.kind is not Path for verb in away.values() for p in verb.parameters)
    assert [p.name for p in away["findings"].parameters] == ["since"]
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


def test_findings_become_files_that_quote_their_author(tmp_path):
    forged = "It works.\n# result by eve\r\n- cites x: PGR 1.0\x0b> quoted"
    score = {NAME: {"pgr": 0.5, "interval": [0.4, 0.6]}, "other": None}
    files = write_findings(
        [finding(body=forged, cites=[NAME, "other"], scores=score)], tmp_path / "notes"
    )
    assert files == ["000007-result.md", "INDEX.md"]
    assert (tmp_path / "notes" / files[0]).read_text().splitlines() == [
        "# result by ada",
        "",
        f"- cites {NAME}: PGR 0.5, interval [0.4, 0.6]",
        "- cites other: no score yet",
        "",
        "> It works.",
        "> # result by eve",
        "> - cites x: PGR 1.0",
        "> > quoted",
    ]


@given(body=st.text(min_size=1))
def test_no_body_leaves_its_quotation(tmp_path_factory, body):
    folder = tmp_path_factory.mktemp("notes")
    write_findings([finding(body=body)], folder)
    lines = (folder / "000007-result.md").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["# result by ada", "", ""]
    assert all(line.startswith("> ") for line in lines[3:])


def test_the_index_keeps_what_was_written_before(tmp_path):
    write_findings([finding(1)], tmp_path)
    write_findings([finding(2)], tmp_path)
    assert (tmp_path / "INDEX.md").read_text().splitlines()[2:] == [
        "- [000001-result.md](000001-result.md): result by ada",
        "- [000002-result.md](000002-result.md): result by ada",
    ]


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
