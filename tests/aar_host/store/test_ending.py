"""Compute: charged by time, and when it is used up nothing waits for it for ever."""

from __future__ import annotations

import pytest
from tests.aar_host.store.budgeted import limited, warnings
from tests.aar_host.store.conftest import World
from tests.cards import CARD

from aar_host.budgets import Budget
from aar_host.store import Tier
from aar_host.store.jobs import Outcome, claim_job, finish_job, jobs_of, queue_jobs
from aar_host.store.ledger import events, verify_ledger
from aar_host.store.spending import spent
from aar_host.store.submissions import Draft, add_submission, get_submission
from aar_lab.errors import OverBudget
from aar_lab.types import JobStatus

CRASHED = Outcome(JobStatus.CRASHED)


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
