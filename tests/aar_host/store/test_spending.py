"""Budgets: held to within one call, charged once, and told when a mark is passed."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace

import pytest
from tests.aar_host.store.conftest import PLAN, World
from tests.cards import CARD

from aar_host.budgets import Budget, Budgets
from aar_host.store import Tier, open_store
from aar_host.store.campaigns import beat, create_campaign, get_campaign
from aar_host.store.claims import refuse_claim
from aar_host.store.jobs import Outcome, claim_job, finish_job, jobs_of, queue_jobs
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
from aar_host.store.submissions import Draft, add_submission, get_submission
from aar_lab.errors import BadInput, BadSource, Conflict, OverBudget, UnknownName
from aar_lab.types import JobStatus

DRAFT = CallDraft("model", "d" * 64, dollars=1.0, tokens=1000)
DONE = Bill(CallStatus.DONE, "ok", 0.5, 100, {"input": 60, "output": 40})
FAILED = Bill(CallStatus.FAILED, "failed", 0.0, 0.0)
CRASHED = Outcome(JobStatus.CRASHED)


def limited(world: World, **budgets: Budget) -> World:
    """The world with a campaign of these budgets."""
    config = {**PLAN.config, "max_submissions": 9, "budgets": Budgets(**budgets).as_dict()}
    world.campaign = create_campaign(world.store, replace(PLAN, config=config)).id
    world.actor = world.join("ada")
    return world


def warnings(world: World) -> list[tuple[str | None, str, float]]:
    found = (e.payload for e in events(world.store, world.campaign) if e.kind == "budget_warning")
    return [(body["researcher"], body["resource"], body["share"]) for body in found]


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


def _run(world: World, seconds: float, outcome: Outcome = CRASHED) -> None:
    job = world.claim(seconds=1e6)
    world.clock.now += seconds
    finish_job(world.store, job, outcome)


def test_compute_is_charged_by_time_even_where_a_job_failed(world):
    limited(world, each=Budget(compute_seconds=100))
    world.submit("a")
    _run(world, 50)
    assert spent(world.store, world.campaign, world.actor).compute_seconds == 50
    _run(world, 31)
    assert spent(world.store, world.campaign).compute_seconds == 81
    told = [("ada", "compute_seconds", 0.5), ("ada", "compute_seconds", 0.8)]
    assert warnings(world) == told


def test_jobs_for_which_no_compute_is_left_are_cancelled_with_the_reason(world):
    limited(world, each=Budget(compute_seconds=10))
    first, second = world.submit("a"), world.submit("b")
    bob = world.join("bob")
    world.clock.now += 1
    other = add_submission(world.store, world.campaign, bob, Draft("c", CARD))
    _run(world, 11)
    assert world.claim().submission == other
    for name in (first, second):
        found = get_submission(world.store, name)
        assert (found.status, found.error["code"]) == (JobStatus.CANCELLED, "over_budget")
        assert "compute_seconds" in found.error["value"]
        statuses = {job.status for job in jobs_of(world.store, name, Tier.PUBLIC)}
        assert statuses <= {JobStatus.CANCELLED, JobStatus.CRASHED}
    ended = [e for e in events(world.store, world.campaign) if e.kind == "submission_failed"]
    assert {e.payload["submission"] for e in ended} == {first, second}
    with pytest.raises(OverBudget, match="compute_seconds"):
        world.submit("d")
    verify_ledger(world.store)


def test_the_pool_of_compute_stops_everybody_but_not_the_sealed_scores(world):
    limited(world, pool=Budget(compute_seconds=10))
    first = world.submit("a")
    _run(world, 10)
    assert claim_job(world.store, world.campaign, "w", 60) is None
    queue_jobs(world.store, first, Tier.SEALED, [0])
    _run(world, 100)
    assert spent(world.store, world.campaign).compute_seconds == 10
    world.actor = world.join("bob")
    with pytest.raises(OverBudget, match="pool"):
        world.submit("b")
