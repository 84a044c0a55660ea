"""Researchers who work alone see nothing of each other; those who watch see everything."""

from __future__ import annotations

import pytest
from tests.aar_host.server.conftest import CONFIG, Site

from aar_lab.types import Role


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
