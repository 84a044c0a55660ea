"""Findings, what they may cite and reply to, and how many one may post."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from aar_host.store.findings import (
    MAX_BODY,
    MAX_FINDINGS,
    Note,
    add_finding,
    list_findings,
    roots_of,
    select_findings,
)
from aar_host.store.ledger import events
from aar_host.store.schema import findings
from aar_lab.errors import BadInput, OverBudget
from aar_lab.types import FindingKind


def post(world, body: str, *cites: str, parent: str | None = None, actor: str = "") -> str:
    note = Note(FindingKind.RESULT, body, cites, parent)
    return add_finding(world.store, world.campaign, actor or world.actor, note)


def posted(world) -> int:
    return sum(e.kind == "finding_posted" for e in events(world.store, world.campaign))


def test_findings_come_in_order_with_the_author_the_host_knows(world):
    submission = world.submit("a")
    first, second = post(world, "one", submission), post(world, "two")
    found = list_findings(world.store, world.campaign)
    assert [finding.id for finding in found] == [first, second]
    assert (found[0].author, found[0].cites, found[0].body) == ("ada", [submission], "one")
    later = list_findings(world.store, world.campaign, since=found[0].seq)
    assert [finding.id for finding in later] == [second]
    assert list_findings(world.store, "another") == []


@pytest.mark.parametrize("body", ["", " \n", "x" * (MAX_BODY + 1)])
def test_a_body_has_a_length(body):
    with pytest.raises(BadInput, match="characters"):
        Note(FindingKind.RESULT, body)


def test_only_submissions_of_the_campaign_can_be_cited(world):
    with pytest.raises(BadInput, match="no such submission"):
        post(world, "body", "0" * 12)
    assert list_findings(world.store, world.campaign) == []


def test_only_findings_of_the_campaign_can_be_answered(world):
    other = type(world)(world.where)
    theirs = post(other, "theirs")
    for parent in ("0" * 12, theirs):
        with pytest.raises(BadInput, match="no such finding"):
            post(world, "reply", parent=parent)
    assert list_findings(world.store, world.campaign) == []


def test_posting_the_same_again_is_the_same_finding(world):
    submission = world.submit("a")
    first = post(world, "one", submission)
    assert post(world, "one", submission) == first
    assert posted(world) == 1
    bob = world.join("bob")
    others = [
        post(world, "one", submission, actor=bob),
        post(world, "one"),
        post(world, "two", submission),
        post(world, "one", submission, parent=first),
    ]
    assert len({first, *others}) == 5
    assert posted(world) == 5


def test_a_thread_of_any_depth_has_one_root(world):
    root, other = post(world, "root"), post(world, "other")
    tip = root
    for i in range(12):
        tip = post(world, f"reply {i}", parent=tip)
    aside = post(world, "aside", parent=root)
    with world.store.reading() as connection:
        page = select_findings(connection, world.campaign)
        roots = roots_of(connection, page)
        last = roots_of(connection, page[-2:])
    assert {roots[one.id] for one in page if one.id != other} == {root}
    assert roots[other] == other
    assert last == {tip: root, aside: root}, "a page need not hold the ancestors"


def test_nobody_floods_the_forum(world):
    first = post(world, "0")
    row = {"campaign": world.campaign, "actor": world.actor, "kind": FindingKind.RESULT}
    row |= {"body": "b", "cites": [], "created": 0.0}
    with world.store.writing() as connection:
        more = [row | {"id": f"{i:012x}", "seq": i} for i in range(1, MAX_FINDINGS)]
        connection.execute(insert(findings), more)
    with pytest.raises(OverBudget, match="500 findings"):
        post(world, "one more")
    assert post(world, "0") == first, "a retry is no new finding"
    post(world, "mine", actor=world.join("bob"))
    assert posted(world) == 2
