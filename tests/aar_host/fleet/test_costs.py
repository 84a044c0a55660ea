"""Costs: models and compute apart, by researcher, for what they brought."""

from __future__ import annotations

import pytest
from tests.aar_host.models.conftest import empty_store
from tests.aar_host.store.conftest import PLAN, World

from aar_host.auth import issue
from aar_host.fleet.costs import costs
from aar_host.store import Tier
from aar_host.store.actors import find_actor
from aar_host.store.campaigns import Plan, beat, create_campaign, set_state
from aar_host.store.jobs import Outcome, finish_job, queue_jobs
from aar_host.store.schema import CallStatus, CampaignState
from aar_host.store.scores import record_score
from aar_host.store.spending import Bill, CallDraft, admit_call, settle_call, spent
from aar_lab.errors import JobFailed
from aar_lab.types import JobStatus, Role

RATE = 3.6  # a thousandth of a dollar a second


@pytest.fixture
def world(tmp_path) -> World:
    (tmp_path / "lab.db").write_bytes(empty_store())
    return World(str(tmp_path / "lab.db"))


def call(world: World, actor: str, bill: Bill | None, model: str = "m") -> None:
    draft = CallDraft(model, "d" * 64, 5.0, 100.0)
    made = admit_call(world.store, world.campaign, actor, draft)
    if bill is not None:
        settle_call(world.store, made, bill)


def train(world: World, submission: str, seconds: float) -> None:
    job = world.claim(submission=submission)
    world.clock.now += seconds
    failed = JobFailed("seed", "it broke", "Mend it.")
    finish_job(world.store, job, Outcome(JobStatus.CRASHED, error=failed))


def score(world: World, submission: str, tier: Tier, pgr: float) -> None:
    body = {"part": tier.value, "pgr": {"mean": pgr, "interval": [0, 1]}}
    record_score(world.store, submission, tier, body)


def told(world: World) -> dict:
    return costs(world.store, world.campaign, RATE)


def test_a_campaign_in_which_nothing_happened_costs_nothing(world):
    found = told(world)
    assert found["total"]["dollars"] == 0
    (row,) = found["researchers"]
    assert row["name"] == "ada"
    for share in ("dollars_per_hour", "dollars_per_submission", "dollars_per_point", "best"):
        assert row[share] is None


def test_models_and_compute_are_told_apart(world):
    bob = world.join("bob")
    beat(world.store, world.campaign, 7200)
    call(world, world.actor, Bill(CallStatus.DONE, "ok", 1.5, 30.0))
    call(world, world.actor, Bill(CallStatus.FAILED, "rate_limited", 0.0, 0.0))
    call(world, world.actor, None)
    call(world, bob, Bill(CallStatus.DONE, "ok", 0.25, 10.0), "cheap")
    made = world.submit("a")
    train(world, made, 500.0)
    found = told(world)
    ada, other = found["researchers"]
    assert (ada["model_dollars"], ada["reserved_dollars"], ada["tokens"]) == (1.5, 5.0, 30.0)
    assert ada["calls"] == {"ok": 1, "rate_limited": 1, "open": 1}
    assert ada["compute_seconds"] == 500.0
    assert ada["compute_dollars"] == pytest.approx(0.5)
    assert ada["dollars"] == pytest.approx(2.0)
    assert ada["dollars_per_hour"] == pytest.approx(1.0)
    assert ada["dollars_per_submission"] == pytest.approx(2.0)
    assert (other["dollars"], other["dollars_per_submission"]) == (0.25, None)
    assert found["total"]["dollars"] == pytest.approx(2.25)
    assert found["total"]["hours"] == pytest.approx(4.0)
    assert found["models"] == [
        {"model": "cheap", "dollars": 0.25, "tokens": 10.0},
        {"model": "m", "dollars": 1.5, "tokens": 30.0},
    ]
    used = spent(world.store, world.campaign, world.actor)
    assert (used.dollars, used.compute_seconds) == (ada["model_dollars"], ada["compute_seconds"])


def test_hours_are_those_of_the_search(world):
    config = {**PLAN.config, "seconds": 1800}
    world.campaign = create_campaign(world.store, Plan(**{**vars(PLAN), "config": config})).id
    world.join("ada")
    beat(world.store, world.campaign, 3600)
    assert told(world)["researchers"][0]["hours"] == 0.5


def test_a_point_is_of_the_best_sealed_score(world):
    made = [world.submit("a")]
    world.clock.now += 1
    made.append(world.submit("b"))
    for submission in made:
        score(world, submission, Tier.PUBLIC, 0.9)
    call(world, world.actor, Bill(CallStatus.DONE, "ok", 4.0, 1.0))
    assert told(world)["researchers"][0]["dollars_per_point"] is None
    set_state(world.store, world.campaign, CampaignState.FROZEN)
    score(world, made[0], Tier.SEALED, 0.4)
    score(world, made[1], Tier.SEALED, 0.2)
    found = told(world)
    assert found["researchers"][0]["best"] == 0.4
    assert found["researchers"][0]["dollars_per_point"] == pytest.approx(0.1)
    assert found["total"]["dollars_per_point"] == pytest.approx(0.1)


@pytest.mark.parametrize("pgr", [-0.2, 0.0])
def test_without_a_gain_a_point_has_no_price(world, pgr):
    made = world.submit("a")
    score(world, made, Tier.PUBLIC, 0.5)
    set_state(world.store, world.campaign, CampaignState.FROZEN)
    score(world, made, Tier.SEALED, pgr)
    row = told(world)["researchers"][0]
    assert (row["best"], row["dollars_per_point"]) == (pgr, None)


def test_who_is_no_researcher_stands_apart_and_counts_in_the_sum(world):
    issue(world.store, world.campaign, "monitor", Role.VIEWER, 1)
    issue(world.store, world.campaign, "silent", Role.VIEWER, 1)
    monitor = find_actor(world.store, world.campaign, "monitor")
    call(world, monitor, Bill(CallStatus.DONE, "ok", 0.5, 3.0))
    beat(world.store, world.campaign, 3600)
    found = told(world)
    assert [row["name"] for row in found["researchers"]] == ["ada"]
    assert [(row["name"], row["hours"]) for row in found["others"]] == [("monitor", 0.0)]
    assert found["total"]["dollars"] == 0.5


def test_jobs_on_the_sealed_part_are_counted_apart(world):
    made = world.submit("a")
    for seconds in (10.0, 20.0):
        train(world, made, seconds)
    queue_jobs(world.store, made, Tier.SEALED, [0])
    train(world, made, 7.0)
    row = told(world)["researchers"][0]
    assert (row["compute_seconds"], row["sealed_seconds"]) == (30.0, 7.0)
    assert row["compute_dollars"] == pytest.approx(0.037)
