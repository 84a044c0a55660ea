"""Reviews: written once, bound to a method; where required, nothing unreviewed is trained."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from tests.aar_host.store.conftest import PLAN
from tests.cards import CARD

from aar_host.store import Tier
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.jobs import Outcome, claim_job, finish_job, jobs_of
from aar_host.store.ledger import events, verify_ledger
from aar_host.store.proof import prove
from aar_host.store.reviews import (
    RECORDED,
    failing,
    find_review,
    list_reviews,
    record_review,
    unreviewed,
)
from aar_host.store.schema import ReviewVerdict, jobs, reviews
from aar_host.store.submissions import Draft, add_submission, fail_submission
from aar_lab.digest import digest_json, digest_text
from aar_lab.errors import JobFailed, UnknownName
from aar_lab.types import JobStatus

PASS, FAIL = {"verdict": "pass"}, {"verdict": "fail", "violations": []}


@pytest.fixture
def strict(world):
    """The world with a campaign that requires reviews."""
    config = {**PLAN.config, "review": "required"}
    world.campaign = create_campaign(world.store, Plan(**{**vars(PLAN), "config": config})).id
    world.actor = world.join("bob")
    return world


def claim(world):
    return claim_job(world.store, world.campaign, "w", 60)


def test_a_review_is_bound_to_its_method_and_written_once(world):
    submission = world.submit("a")
    found = record_review(world.store, world.campaign, digest_text("a"), FAIL)
    again = record_review(world.store, world.campaign, digest_text("a"), PASS)
    assert found.verdict is again.verdict is ReviewVerdict.FAIL
    assert list_reviews(world.store, world.campaign) == [found]
    assert find_review(world.store, world.campaign, digest_text("a")) == found
    told = [e.payload for e in events(world.store, world.campaign) if e.kind == RECORDED]
    assert told == [
        {
            "submission": submission,
            "method": digest_text("a"),
            "card": digest_json(CARD.as_dict()),
            "verdict": "fail",
            "review": digest_json(FAIL),
        }
    ]
    verify_ledger(world.store)


@pytest.mark.parametrize("verdict", ["PASS", "pass ", True, None, ["pass"], "passed", 1])
def test_only_pass_is_a_pass(world, verdict):
    world.submit("a")
    found = record_review(world.store, world.campaign, digest_text("a"), {"verdict": verdict})
    assert found.verdict is ReviewVerdict.FAIL


def test_a_method_that_nobody_handed_in_has_no_review(world):
    with pytest.raises(UnknownName):
        record_review(world.store, world.campaign, digest_text("never"), PASS)
    assert find_review(world.store, world.campaign, digest_text("never")) is None


def test_a_method_of_another_campaign_is_not_this_ones(strict):
    other = create_campaign(strict.store, PLAN).id
    add_submission(strict.store, other, strict.actor, Draft("a", CARD))
    record_review(strict.store, other, digest_text("a"), PASS)
    strict.submit("a")
    assert claim(strict) is None


def test_where_required_only_what_passed_is_handed_out(strict):
    strict.submit("bad")
    strict.submit("unread")
    good = strict.submit("good")
    assert claim(strict) is None
    record_review(strict.store, strict.campaign, digest_text("bad"), FAIL)
    record_review(strict.store, strict.campaign, digest_text("good"), PASS)
    assert [job and job.submission for job in (claim(strict), claim(strict), claim(strict))] == [
        good,
        good,
        None,
    ]


def proof(world):
    checks = {check.name: check for check in prove(world.store, world.campaign)}
    return checks["reviews"]


def test_reviews_are_proven_by_the_ledger(strict):
    strict.submit("good")
    record_review(strict.store, strict.campaign, digest_text("good"), PASS)
    finish_job(strict.store, claim(strict), Outcome(JobStatus.CRASHED))
    assert (proof(strict).ok, proof(strict).found) == (True, "1 reviews")
    with strict.store.writing() as connection:
        connection.execute(update(reviews).values(verdict=ReviewVerdict.FAIL))
    assert not proof(strict).ok


def test_a_method_that_was_trained_past_its_review_is_found(strict):
    name = strict.submit("bad")
    with strict.store.writing() as connection:
        connection.execute(update(jobs).values(status=JobStatus.RUNNING))
    finish_job(strict.store, jobs_of(strict.store, name, Tier.PUBLIC)[0], Outcome(JobStatus.LOST))
    assert f"submission {name} was trained" in proof(strict).found


@pytest.mark.parametrize("review", [None, "advisory"])
def test_elsewhere_jobs_wait_for_nobody(world, review):
    config = {**PLAN.config, "review": review}
    world.campaign = create_campaign(world.store, Plan(**{**vars(PLAN), "config": config})).id
    world.submit("a")
    record_review(world.store, world.campaign, digest_text("a"), FAIL)
    assert claim(world) is not None


def test_what_waits_and_what_failed_is_listed_until_it_ends(world):
    names = [world.submit("a")]
    world.clock.now += 1
    names.append(world.submit("b"))
    waiting = unreviewed(world.store, world.campaign)
    assert [(one.submission, one.source, one.method_digest) for one in waiting] == [
        (names[0], "a", digest_text("a")),
        (names[1], "b", digest_text("b")),
    ]
    assert waiting[0].card == CARD.as_dict()
    review = record_review(world.store, world.campaign, digest_text("a"), FAIL)
    assert [one.submission for one in unreviewed(world.store, world.campaign)] == names[1:]
    assert failing(world.store, world.campaign) == [(names[0], review)]
    for name in names:
        fail_submission(world.store, name, JobStatus.CANCELLED, JobFailed("a", "b", "c"))
    assert unreviewed(world.store, world.campaign) == []
    assert failing(world.store, world.campaign) == []
