"""Budgets: held to within one call, charged once, and told when a mark is passed."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest
from tests.aar_host.store.budgeted import limited, warnings
from tests.aar_host.store.conftest import World
from tests.cards import CARD

from aar_host.auth import issue
from aar_host.budgets import Budget
from aar_host.store import open_store
from aar_host.store.actors import find_actor
from aar_host.store.campaigns import beat, get_campaign
from aar_host.store.claims import refuse_claim
from aar_host.store.ledger import events, verify_ledger
from aar_host.store.schema import CallStatus
from aar_host.store.spending import (
    Bill,
    CallDraft,
    Spent,
    admit_call,
    settle_call,
    settle_lost,
    spent,
)
from aar_lab.errors import BadInput, BadSource, Conflict, OverBudget, UnknownName
from aar_lab.types import Role

DRAFT = CallDraft("model", "d" * 64, dollars=1.0, tokens=1000)
DONE = Bill(CallStatus.DONE, "ok", 0.5, 100, {"input": 60, "output": 40})
FAILED = Bill(CallStatus.FAILED, "failed", 0.0, 0.0)


def admit(world: World, actor: str | None = None, draft: CallDraft = DRAFT) -> str:
    return admit_call(world.store, world.campaign, actor or world.actor, draft)


def make_call(world: World, actor: str | None = None, bill: Bill = DONE) -> None:
    assert settle_call(world.store, admit(world, actor), bill)


def test_a_call_is_charged_as_used_and_told_in_the_ledger(world):
    call = admit(world)
    assert spent(world.store, world.campaign) == Spent()
    world.clock.now += 3
    assert settle_call(world.store, call, DONE)
    for whose in (None, world.actor):
        assert spent(world.store, world.campaign, whose) == Spent(dollars=0.5, tokens=100)
    event = events(world.store, world.campaign)[-1]
    assert (event.kind, event.actor) == ("model_call", world.actor)
    assert event.payload == {
        "call": call,
        "researcher": "ada",
        "model": "model",
        "request": "d" * 64,
        "outcome": "ok",
        "status": "done",
        "dollars": 0.5,
        "tokens": 100,
        "usage": {"input": 60, "output": 40},
        "seconds": 3.0,
    }
    verify_ledger(world.store)


def test_a_call_is_settled_once(world):
    call = admit(world)
    assert settle_call(world.store, call, DONE)
    before = events(world.store, world.campaign)
    assert not settle_call(world.store, call, Bill(CallStatus.DROPPED, "dropped"))
    assert events(world.store, world.campaign) == before
    with pytest.raises(UnknownName):
        settle_call(world.store, "absent", DONE)
    with pytest.raises(BadInput):
        Bill(CallStatus.OPEN, "ok")


@pytest.mark.parametrize("resource", ["dollars", "tokens"])
@pytest.mark.parametrize("owner", ["pool", "each"])
def test_no_call_is_admitted_once_a_limit_is_reached(world, resource, owner):
    limit = {"dollars": 1.0, "tokens": 200.0}[resource]
    limited(world, **{owner: Budget(**{resource: limit})})
    make_call(world)
    make_call(world)
    with pytest.raises(OverBudget, match=resource):
        admit(world)
    other = world.join("bob")
    if owner == "each":
        admit(world, other)
    else:
        with pytest.raises(OverBudget, match="pool"):
            admit(world, other)


def test_a_seat_may_have_limits_of_its_own(world):
    seats = {"bob": Budget(dollars=10)}
    limited(world, each=Budget(dollars=0.5), seats=seats)
    make_call(world)
    with pytest.raises(OverBudget):
        admit(world)
    bob = world.join("bob")
    for _ in range(3):
        make_call(world, bob)


def test_the_time_of_the_campaign_ends_calls(world):
    limited(world, pool=Budget(wall_seconds=60))
    beat(world.store, world.campaign, 59)
    make_call(world)
    beat(world.store, world.campaign, 1)
    with pytest.raises(OverBudget, match="wall_seconds"):
        admit(world)


def test_who_judges_may_ask_when_the_time_is_over(world):
    limited(world, pool=Budget(wall_seconds=60))
    beat(world.store, world.campaign, 61)
    issue(world.store, world.campaign, "monitor", Role.VIEWER, 1)
    assert admit(world, find_actor(world.store, world.campaign, "monitor"))


def test_what_is_reserved_by_calls_under_way_is_not_given_twice(world):
    limited(world, pool=Budget(dollars=2.5))
    first, second, third = admit(world), admit(world), admit(world)
    with pytest.raises(Conflict, match="under way"):
        admit(world)
    settle_call(world.store, first, FAILED)
    admit(world)
    for call in (second, third):
        settle_call(world.store, call, Bill(CallStatus.DROPPED, "dropped"))
    assert spent(world.store, world.campaign).dollars == 2.0


def _spend(where, campaign, actor, found):
    """Make calls of any cost up to their reservation until there is no more budget."""
    store, made, cost = open_store(where), 0, 1.0
    while True:
        try:
            call = admit_call(store, campaign, actor, DRAFT)
        except OverBudget:
            break
        except Conflict:
            continue
        settle_call(store, call, Bill(CallStatus.DONE, "ok", cost, 10))
        made, cost = made + 1, 0.25 if cost == 1.0 else 1.0
    found.put(made)


def test_concurrent_researchers_cannot_pass_the_pool_by_more_than_one_call(world):
    limited(world, pool=Budget(dollars=10.1))
    actors = [world.join(name) for name in ("b", "c", "d", "e")]
    fork = multiprocessing.get_context("fork")
    found = fork.Queue()
    processes = [
        fork.Process(target=_spend, args=(world.where, world.campaign, actor, found))
        for actor in actors
    ]
    for process in processes:
        process.start()
    made = sum(found.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    used = spent(world.store, world.campaign)
    assert 10.1 <= used.dollars < 10.1 + DRAFT.dollars
    assert used.tokens == 10 * made
    assert warnings(world) == [(None, "dollars", share) for share in (0.5, 0.8, 1.0)]
    verify_ledger(world.store)


def test_calls_of_a_killed_host_are_charged_as_reserved_once(world):
    limited(world, each=Budget(dollars=1.5))
    lost, ended = admit(world), admit(world)
    settle_call(world.store, ended, DONE)
    assert settle_lost(world.store, world.campaign) == 1
    assert spent(world.store, world.campaign, world.actor).dollars == 1.5
    event = next(e for e in events(world.store, world.campaign) if e.payload.get("call") == lost)
    assert (event.payload["status"], event.payload["dollars"]) == ("lost", 1.0)
    assert settle_lost(world.store, world.campaign) == 0
    assert not settle_call(world.store, lost, DONE)
    assert spent(world.store, world.campaign, world.actor) == Spent(1.5, 1100)
    with pytest.raises(OverBudget):
        admit(world)


def _admit_and_be_killed(where, campaign, actor):
    admit_call(open_store(where), campaign, actor, DRAFT)
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_call_of_a_host_that_was_killed_is_not_forgotten(world):
    host = multiprocessing.get_context("fork").Process(
        target=_admit_and_be_killed, args=(world.where, world.campaign, world.actor)
    )
    host.start()
    host.join(60)
    assert host.exitcode == -signal.SIGKILL
    assert spent(world.store, world.campaign) == Spent()
    assert [settle_lost(world.store, world.campaign) for _ in range(2)] == [1, 0]
    assert spent(world.store, world.campaign) == Spent(DRAFT.dollars, DRAFT.tokens)


def test_lost_calls_of_other_campaigns_stay_open(world):
    call, mine = admit(world), world.campaign
    limited(world)
    admit(world)
    assert settle_lost(world.store, world.campaign) == 1
    assert settle_call(world.store, call, DONE)
    assert spent(world.store, mine).dollars == 0.5


def test_every_mark_is_told_once_for_the_seat_and_for_the_pool(world):
    limited(world, pool=Budget(dollars=4), each=Budget(dollars=2, tokens=1e6))
    for _ in range(4):
        make_call(world)
    assert warnings(world) == [
        ("ada", "dollars", 0.5),
        ("ada", "dollars", 0.8),
        ("ada", "dollars", 1.0),
        (None, "dollars", 0.5),
    ]


def test_submissions_are_refused_for_the_seat_and_for_the_pool(world):
    limited(world, pool=Budget(submissions=4), each=Budget(submissions=2))
    first = world.submit("a")
    refuse_claim(world.store, world.campaign, world.actor, CARD, BadSource("x", "bad", "Mend."))
    with pytest.raises(OverBudget, match="this researcher's budget of 2"):
        world.submit("b")
    assert world.submit("a") == first
    world.actor = world.join("bob")
    world.submit("c")
    world.submit("d")
    world.actor = world.join("eve")
    with pytest.raises(OverBudget, match="pool of 4"):
        world.submit("e")
    used = spent(world.store, world.campaign), get_campaign(world.store, world.campaign).charged
    assert (used[0].submissions, used[1]) == (4, 4)
    told = warnings(world)
    assert told.count(("ada", "submissions", 1.0)) == told.count((None, "submissions", 1.0)) == 1
