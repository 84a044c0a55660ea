"""Votes: one each, never on one's own, every change in the ledger, and seen by whoever follows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from aar_host.store.findings import Note, add_finding
from aar_host.store.ledger import events, verify_ledger
from aar_host.store.votes import MAX_CHANGES, Page, Tally, read_page, vote
from aar_lab.errors import BadInput, Conflict, OverBudget, UnknownName
from aar_lab.types import FindingKind


def post(world, body: str, actor: str = "") -> str:
    note = Note(FindingKind.RESULT, body)
    return add_finding(world.store, world.campaign, actor or world.actor, note)


def cast(world, actor: str, finding: str, value: int) -> Tally:
    return vote(world.store, world.campaign, actor, finding, value)


def page(world, since: int = 0, limit: int = 100) -> Page:
    return read_page(world.store, world.campaign, since, limit)


def entries(world) -> list[dict]:
    found = events(world.store, world.campaign)
    return [event.payload for event in found if event.kind == "finding_voted"]


def test_a_vote_counts_once_and_may_be_changed(world):
    finding, bob, carl = post(world, "mine"), world.join("bob"), world.join("carl")
    assert cast(world, bob, finding, 1) == Tally(1, 0)
    assert cast(world, bob, finding, 1) == Tally(1, 0)
    assert cast(world, carl, finding, 1) == Tally(2, 0)
    assert cast(world, bob, finding, -1) == Tally(1, 1)
    assert Tally(1, 3).as_dict() == {"sum": -2, "up": 1, "down": 3}
    assert [entry["value"] for entry in entries(world)] == [1, 1, -1]
    verify_ledger(world.store)


def test_one_s_own_findings_and_absent_ones_take_no_vote(world):
    finding, bob = post(world, "mine"), world.join("bob")
    with pytest.raises(Conflict, match="your own"):
        cast(world, world.actor, finding, 1)
    with pytest.raises(UnknownName):
        cast(world, bob, "0" * 12, 1)
    theirs = type(world)(world.where)
    with pytest.raises(UnknownName):
        cast(world, bob, post(theirs, "theirs"), 1)
    assert entries(world) == []


@pytest.mark.parametrize("value", [0, 2, -2])
def test_a_vote_is_one_up_or_down(world, value):
    finding = post(world, "mine")
    with pytest.raises(BadInput):
        cast(world, world.join("bob"), finding, value)


def test_nobody_fills_the_ledger_with_changes(world):
    first, second, bob = post(world, "one"), post(world, "two"), world.join("bob")
    values = [1 - 2 * (i % 2) for i in range(MAX_CHANGES + 2)]
    for value in values[:-1]:
        cast(world, bob, first, value)
    with pytest.raises(OverBudget, match="changes"):
        cast(world, bob, first, values[-1])
    assert len(entries(world)) == MAX_CHANGES + 1
    assert cast(world, bob, second, 1) == Tally(1, 0)


def test_votes_at_the_same_time_are_all_counted(world):
    finding = post(world, "mine")
    voters = [world.join(f"r{i}") for i in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda actor: cast(world, actor, finding, 1), voters))
    assert page(world).tallies[finding] == Tally(12, 0)
    verify_ledger(world.store)


def test_a_follower_sees_new_findings_and_changed_votes_once(world):
    first, bob = post(world, "one"), world.join("bob")
    begin = page(world)
    assert ([one.id for one in begin.findings], begin.changed) == ([first], {})
    cast(world, bob, first, 1)
    second = post(world, "two")
    cast(world, bob, second, -1)
    news = page(world, begin.last)
    assert [one.id for one in news.findings] == [second]
    assert list(news.changed) == [first]
    assert news.tallies == {first: Tally(1, 0), second: Tally(0, 1)}
    assert page(world, news.last) == Page([], {}, {}, {}, news.last)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_of_any_size_end_in_the_same_state(world, limit):
    bob, carl = world.join("bob"), world.join("carl")
    names = []
    for i in range(7):
        names.append(post(world, f"finding {i}"))
        cast(world, bob, names[i // 2], 1 if i % 2 else -1)
        cast(world, carl, names[-1], 1)
    since, seen, tallies = 0, [], {}
    while True:
        part = page(world, since, limit)
        assert len(part.findings) <= limit
        seen += [one.id for one in part.findings]
        tallies |= part.tallies
        if part.last == since:
            break
        since = part.last
    assert seen == names
    assert tallies == page(world).tallies
