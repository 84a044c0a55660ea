"""Handing in: all or nothing, once, within the cap, and never lost."""

from __future__ import annotations

import multiprocessing

import pytest
from tests.aar_host.store.conftest import PLAN
from tests.cards import CARD, card_with

from aar_host.store import Tier, open_store
from aar_host.store.campaigns import Plan, beat, create_campaign, get_campaign, set_state
from aar_host.store.jobs import claim_job, jobs_of
from aar_host.store.ledger import events
from aar_host.store.schema import CampaignState
from aar_host.store.submissions import (
    Draft,
    add_submission,
    fail_submission,
    get_submission,
    list_submissions,
    method_source,
    status_of,
)
from aar_lab.errors import BadInput, Conflict, JobFailed, OverBudget, UnknownName
from aar_lab.types import JobStatus


def test_a_submission_comes_with_its_method_and_one_job_per_seed(world):
    submission = world.submit("x = 1")
    found = get_submission(world.store, submission)
    assert (found.author, found.status) == ("ada", JobStatus.QUEUED)
    assert found.card == CARD.as_dict()
    assert method_source(world.store, submission) == "x = 1"
    jobs = jobs_of(world.store, submission, Tier.PUBLIC)
    assert [(job.seed_index, job.status) for job in jobs] == [
        (0, JobStatus.QUEUED),
        (1, JobStatus.QUEUED),
    ]
    assert jobs_of(world.store, submission, Tier.SEALED) == []


def test_who_lost_the_answer_asks_again_and_is_charged_once(world):
    parent = world.submit("a")
    first = world.submit("x = 1", parent)
    before = len(events(world.store, world.campaign))
    assert world.submit("x = 1", parent) == first
    set_state(world.store, world.campaign, CampaignState.FROZEN)
    assert world.submit("x = 1", parent) == first
    assert len(events(world.store, world.campaign)) == before + 1
    assert get_campaign(world.store, world.campaign).charged == 2


@pytest.mark.parametrize("other", ["actor", "card", "ancestors"])
def test_the_same_source_is_refused_with_the_earlier_id_and_not_charged(world, other):
    parent = world.submit("a")
    first = world.submit("x = 1")
    card = card_with(title="Another title") if other == "card" else CARD
    draft = Draft("x = 1", card, (parent,) if other == "ancestors" else ())
    actor = world.join("bob") if other == "actor" else world.actor
    with pytest.raises(Conflict, match=first):
        add_submission(world.store, world.campaign, actor, draft)
    assert get_campaign(world.store, world.campaign).charged == 2


def test_the_cap_is_pooled_over_researchers(world):
    other = world.join("bob")
    for source in ("a", "b", "c"):
        world.submit(source)
    with pytest.raises(OverBudget, match="pool of 3"):
        add_submission(world.store, world.campaign, other, Draft("d", CARD))
    assert len(list_submissions(world.store, world.campaign)) == 3
    assert list_submissions(world.store, world.campaign, other) == []


@pytest.mark.parametrize("state", [CampaignState.FROZEN, CampaignState.CLOSED])
def test_only_an_open_campaign_takes_submissions(world, state):
    set_state(world.store, world.campaign, state)
    with pytest.raises(Conflict, match=state):
        world.submit("x = 1")


def test_it_builds_only_on_submissions_of_the_campaign(world):
    first = world.submit("a")
    second = world.submit("b", first)
    assert get_submission(world.store, second).builds_on == [first]
    for wrong in (("0" * 12,), (first, first), (first,) * 17):
        with pytest.raises(BadInput):
            world.submit("c", *wrong)


def test_a_failure_keeps_the_submission_its_first_error_and_its_charge(world):
    submission = world.submit("x = 1")
    job = claim_job(world.store, world.campaign, "w", 60)
    error = JobFailed(submission, "it crashed", "See the log.")
    assert fail_submission(world.store, submission, JobStatus.CRASHED, error)
    assert not fail_submission(world.store, submission, JobStatus.TIMEOUT, error)
    found = get_submission(world.store, submission)
    assert (found.status, found.error) == (JobStatus.CRASHED, error.as_dict())
    assert get_campaign(world.store, world.campaign).charged == 1
    statuses = {one.id: one.status for one in jobs_of(world.store, submission, Tier.PUBLIC)}
    assert statuses.pop(job.id) is JobStatus.RUNNING
    assert list(statuses.values()) == [JobStatus.CANCELLED]


@pytest.mark.parametrize("ask", [get_submission, status_of, method_source])
def test_an_unknown_submission_is_a_typed_error(world, ask):
    with pytest.raises(UnknownName, match="absent"):
        ask(world.store, "absent")


def _submit_many(path, campaign, actor, letter):
    store = open_store(path)
    for number in range(3):
        draft = Draft(f"{letter}{number}", CARD)
        try:
            add_submission(store, campaign, actor, draft)
        except OverBudget:
            continue


def test_concurrent_processes_never_exceed_the_cap(world):
    fork = multiprocessing.get_context("fork")
    where = (world.where, world.campaign, world.actor)
    processes = [fork.Process(target=_submit_many, args=(*where, letter)) for letter in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list_submissions(world.store, world.campaign)) == 3


def test_nothing_is_accepted_after_the_time_that_the_campaign_was_served(world):
    plan = Plan("chat-mini", "1", "d" * 64, "SEALED", "a1", {**PLAN.config, "seconds": 60})
    world.campaign = create_campaign(world.store, plan).id
    world.actor = world.join("ada")
    world.clock.now += 1e6  # in which nobody served it
    beat(world.store, world.campaign, 60)
    world.submit("in time")
    beat(world.store, world.campaign, 0.5)
    with pytest.raises(OverBudget, match="time is over"):
        world.submit("too late")
