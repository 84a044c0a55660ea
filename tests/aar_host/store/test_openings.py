"""The sealed part of given test items is opened once, by one campaign."""

from __future__ import annotations

import pytest
from tests.aar_host.store.conftest import PLAN

from aar_host.store.campaigns import create_campaign, set_state
from aar_host.store.ledger import events
from aar_host.store.openings import record_opening
from aar_host.store.schema import CampaignState
from aar_lab.errors import Conflict

DATA = "a" * 64


def frozen(world) -> str:
    campaign = create_campaign(world.store, PLAN).id
    set_state(world.store, campaign, CampaignState.FROZEN)
    return campaign


def test_an_opening_that_was_interrupted_goes_on_and_is_one(world):
    campaign = frozen(world)
    for _ in range(3):
        record_opening(world.store, campaign, DATA)
    opened = [e for e in events(world.store, campaign) if e.kind == "sealed_opened"]
    assert [event.payload for event in opened] == [{"data": DATA}]


def test_another_campaign_cannot_open_the_same_items(world):
    first, second = frozen(world), frozen(world)
    record_opening(world.store, first, DATA)
    before = len(events(world.store, second))
    with pytest.raises(Conflict, match=first):
        record_opening(world.store, second, DATA)
    assert len(events(world.store, second)) == before
    record_opening(world.store, second, "b" * 64)


@pytest.mark.parametrize("state", [CampaignState.OPENED, CampaignState.CLOSED])
def test_what_was_opened_is_not_opened_again(world, state):
    campaign = frozen(world)
    record_opening(world.store, campaign, DATA)
    set_state(world.store, campaign, state)
    with pytest.raises(Conflict, match=state):
        record_opening(world.store, campaign, DATA)


def test_an_open_campaign_opens_nothing(world):
    with pytest.raises(Conflict, match="is open"):
        record_opening(world.store, world.campaign, DATA)
