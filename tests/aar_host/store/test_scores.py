"""Scores: written once, by the host, as JSON."""

from __future__ import annotations

import math

import pytest

from aar_host.store import Tier
from aar_host.store.campaigns import set_state
from aar_host.store.ledger import events
from aar_host.store.schema import CampaignState
from aar_host.store.scores import leaderboard, record_score, scores_of
from aar_host.store.submissions import fail_submission, get_submission
from aar_lab.digest import digest_json
from aar_lab.errors import BadInput, Conflict, JobFailed
from aar_lab.types import JobStatus

BODY = {"part": "public", "pgr": {"mean": 0.5, "interval": [0.4, None]}}


def test_a_public_score_ends_the_submission_and_enters_the_ledger(world):
    submission = world.submit("a")
    world.clock.now += 5
    record_score(world.store, submission, Tier.PUBLIC, BODY)
    found = get_submission(world.store, submission)
    assert (found.status, found.finished) == (JobStatus.DONE, 1005.0)
    assert scores_of(world.store, [submission, "absent"]) == {submission: BODY}
    payload = events(world.store, world.campaign)[-1].payload
    assert payload == {"submission": submission, "tier": "public", "score": digest_json(BODY)}


def test_a_score_is_written_once_per_tier(world):
    submission = world.submit("a")
    record_score(world.store, submission, Tier.PUBLIC, BODY)
    with pytest.raises(Conflict, match="while the campaign is frozen"):
        record_score(world.store, submission, Tier.SEALED, BODY)
    set_state(world.store, world.campaign, CampaignState.FROZEN)
    record_score(world.store, submission, Tier.SEALED, BODY)
    for tier in Tier:
        with pytest.raises(Conflict, match=tier):
            record_score(world.store, submission, tier, BODY)


def test_a_sealed_score_alone_does_not_end_a_submission_or_lead(world):
    submission = world.submit("a")
    set_state(world.store, world.campaign, CampaignState.FROZEN)
    record_score(world.store, submission, Tier.SEALED, BODY)
    assert get_submission(world.store, submission).status is JobStatus.QUEUED
    assert leaderboard(world.store, world.campaign) == []
    assert scores_of(world.store, [submission]) == {}
    sealed = leaderboard(world.store, world.campaign, Tier.SEALED)
    assert [entry.submission for entry in sealed] == [submission]


def test_a_failed_submission_gets_no_score(world):
    submission = world.submit("a")
    error = JobFailed(submission, "timed out", "Be quicker.")
    fail_submission(world.store, submission, JobStatus.TIMEOUT, error)
    with pytest.raises(Conflict, match="timeout"):
        record_score(world.store, submission, Tier.PUBLIC, BODY)


@pytest.mark.parametrize("value", [math.nan, math.inf, object()])
def test_a_score_is_finite_json(world, value):
    submission = world.submit("a")
    with pytest.raises(BadInput, match="not JSON"):
        record_score(world.store, submission, Tier.PUBLIC, {"pgr": value})


def test_the_leaderboard_holds_scored_submissions_as_they_were_handed_in(world):
    first = world.submit("a")
    world.clock.now += 1
    world.submit("b")
    world.clock.now += 1
    third = world.submit("c")
    for submission in (third, first):
        record_score(world.store, submission, Tier.PUBLIC, BODY)
    entries = leaderboard(world.store, world.campaign)
    assert [entry.submission for entry in entries] == [first, third]
    assert (entries[0].author, entries[0].card["title"]) == ("ada", "A title")
