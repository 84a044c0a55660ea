"""Campaigns, their states, and what they are started with."""

from __future__ import annotations

import pytest
from tests.aar_host.store.conftest import PLAN

from aar_host.store.campaigns import (
    NEXT,
    Plan,
    beat,
    create_campaign,
    get_campaign,
    list_campaigns,
    set_state,
)
from aar_host.store.ledger import events
from aar_host.store.schema import CampaignState
from aar_lab.errors import BadSettings, Conflict, UnknownName

PATHS = {
    CampaignState.OPEN: (),
    CampaignState.FROZEN: (CampaignState.FROZEN,),
    CampaignState.OPENED: (CampaignState.FROZEN, CampaignState.OPENED),
    CampaignState.CLOSED: (CampaignState.CLOSED,),
}


def test_a_campaign_is_kept_as_planned(world):
    campaign = get_campaign(world.store, world.campaign)
    assert (campaign.policy, campaign.config["seeds"]) == ("SEALED", 2)
    assert (campaign.state, campaign.charged) == (CampaignState.OPEN, 0)
    assert campaign.created == world.clock.now
    assert list_campaigns(world.store) == [campaign]


def test_a_campaign_of_a_known_id_is_started_once(world):
    campaign = get_campaign(world.store, world.campaign)
    before = len(events(world.store, world.campaign))
    assert create_campaign(world.store, PLAN, world.campaign) == campaign
    assert len(events(world.store, world.campaign)) == before
    assert create_campaign(world.store, PLAN, "0" * 12).id == "0" * 12


def test_time_that_was_served_adds_up(world):
    assert [beat(world.store, world.campaign, 0.5) for _ in range(3)] == [0.5, 1.0, 1.5]
    assert get_campaign(world.store, world.campaign).ran == 1.5


def test_an_unknown_campaign_is_a_typed_error(world):
    with pytest.raises(UnknownName, match="absent"):
        get_campaign(world.store, "absent")


@pytest.mark.parametrize("before", CampaignState)
@pytest.mark.parametrize("after", CampaignState)
def test_only_the_allowed_changes_of_state_happen(world, before, after):
    for state in PATHS[before]:
        set_state(world.store, world.campaign, state)
    if after in NEXT[before]:
        assert set_state(world.store, world.campaign, after).state is after
        assert events(world.store, world.campaign)[-1].payload == {"from": before, "to": after}
    else:
        with pytest.raises(Conflict, match=f"{before} → {after}"):
            set_state(world.store, world.campaign, after)


@pytest.mark.parametrize("seeds", [None, 0, -1, 2.0, True, "2"])
def test_a_plan_needs_its_numbers(seeds):
    with pytest.raises(BadSettings, match="seeds"):
        Plan("p", "1", "d", "SEALED", "a", {"seeds": seeds, "max_submissions": 1})
