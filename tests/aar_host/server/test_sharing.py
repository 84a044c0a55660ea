"""Researchers who work alone see nothing of each other; those who watch see everything."""

from __future__ import annotations

import pytest
from tests.aar_host.server.conftest import CONFIG, Site

from aar_lab.types import Role

FINDING = {"kind": "result", "body": "It works."}


@pytest.fixture
def alone(where: str):
    made = Site(where, config=CONFIG | {"sharing": False})
    yield made
    made.store.close()


@pytest.fixture
def work(alone):
    """One scored submission of ada with a finding that cites it."""
    name = alone.submit()
    alone.score(name, 0.5)
    finding = {"kind": "result", "body": "It works.", "cites": [name]}
    assert alone.call("POST", "/findings", json=finding).status_code == 201
    return name


def test_others_see_nothing(alone, work, refused):
    bob = alone.token("bob")
    assert alone.call("GET", "/leaderboard", bob).json() == {"leaderboard": []}
    assert alone.call("GET", "/findings", bob).json()["findings"] == []
    assert alone.call("GET", "/lineage", bob).json() == {"nodes": [], "edges": []}
    for page in ("", "/source", "/snapshot"):
        refused(alone.call("GET", f"/submissions/{work}{page}", bob), 404, "unknown_name")


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.OPERATOR])
def test_the_author_and_those_who_watch_see_it(alone, work, role):
    token = alone.ada if role is None else alone.token("watcher", role)
    board = alone.call("GET", "/leaderboard", token).json()["leaderboard"]
    assert [row["submission"] for row in board] == [work]
    assert len(alone.call("GET", "/findings", token).json()["findings"]) == 1
    assert len(alone.call("GET", "/lineage", token).json()["nodes"]) == 1
    assert alone.call("GET", f"/submissions/{work}/source", token).status_code == 200


@pytest.fixture
def told(alone, work):
    """What anybody but its author is told of a submission, or of a finding, that there is not."""
    (finding,) = alone.call("GET", "/findings").json()["findings"]
    return work, finding["finding"]


def asked(site, token: str, submission: str, finding: str, draft):
    """Every question that names somebody's work: its status and, without the name, its answer."""
    other = "def train(task, rng):\n    return None\n"
    questions = [
        ("/findings", FINDING | {"cites": [submission]}),
        ("/findings", FINDING | {"parent": finding}),
        ("/submissions", draft(other, builds_on=[submission])),
        (f"/findings/{finding}/vote", {"value": 1}),
    ]
    answers = [site.call("POST", path, token, json=body) for path, body in questions]
    return [
        (one.status_code, one.text.replace(submission, "ID").replace(finding, "ID"))
        for one in answers
    ]


def test_the_name_of_anothers_work_is_no_more_than_a_name_that_nobody_has(alone, told, draft):
    bob = alone.token("bob")
    nothing = asked(alone, bob, "0" * 12, "f" * 12, draft)
    assert [status for status, _ in nothing] == [422, 422, 422, 404]
    assert asked(alone, bob, *told, draft) == nothing


def test_where_work_is_shared_the_same_questions_are_answered(where, draft):
    site = Site(where)
    work = site.submit()
    finding = site.call("POST", "/findings", json=FINDING).json()["finding"]
    answers = asked(site, site.token("bob"), work, finding, draft)
    assert [status for status, _ in answers] == [201, 201, 202, 200]
    site.store.close()


def test_the_same_source_again_names_nobodys_submission(alone, work, draft):
    response = alone.call("POST", "/submissions", alone.token("bob"), json=draft())
    assert response.status_code == 409
    assert work not in response.text


def test_no_page_names_it(alone, work):
    bob = alone.token("bob")
    pages = ("/findings", "/leaderboard", "/lineage", "/submissions", "/brief")
    assert all(work not in alone.call("GET", page, bob).text for page in pages)
    assert work in alone.call("GET", "/leaderboard").text
