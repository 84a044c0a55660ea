"""Campaigns: what is asked, under which policy and caps, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from aar_host.store.database import Store, new_id
from aar_host.store.ledger import Event, append
from aar_host.store.schema import CampaignState, campaigns
from aar_lab.errors import BadSettings, Conflict, UnknownName

NEXT: Mapping[CampaignState, frozenset[CampaignState]] = {
    CampaignState.OPEN: frozenset({CampaignState.FROZEN, CampaignState.CLOSED}),
    CampaignState.FROZEN: frozenset({CampaignState.OPENED, CampaignState.CLOSED}),
    CampaignState.OPENED: frozenset({CampaignState.CLOSED}),
    CampaignState.CLOSED: frozenset(),
}


@dataclass(frozen=True)
class Plan:
    """What a campaign is started with; never changed afterwards.

    Args:
        problem: name of the problem.
        version: its version.
        data_digest: 64 hexadecimal digits of the prepared data.
        policy: name of the feedback policy.
        anchors_version: version of the anchors that its scores use.
        config: JSON. `seeds` (≥ 1 public seeds per submission) and `max_submissions` (≥ 1,
            pooled) are required; `objective`, `rules` (shown in the brief) and `seconds` (of the
            search, see `Campaign`) are optional; anything else is kept as it is.
    """

    problem: str
    version: str
    data_digest: str
    policy: str
    anchors_version: str
    config: Mapping[str, Any]

    def __post_init__(self) -> None:
        for name in ("seeds", "max_submissions"):
            value = self.config.get(name)
            if type(value) is not int or value < 1:
                raise BadSettings(
                    f"{name} = {value!r}", "not a positive whole number", "Set it in the config."
                )


@dataclass(frozen=True)
class Campaign(Plan):
    """A campaign as stored. `charged` submissions are used up of `config["max_submissions"]`, and
    `ran` seconds of `config["seconds"]`: time in which nobody served it costs nothing."""

    id: str
    state: CampaignState
    charged: int
    created: float
    ran: float = 0.0


def create_campaign(store: Store, plan: Plan, name: str | None = None) -> Campaign:
    """Start a campaign in the state open.

    Args:
        name: its id, from `new_id`; where a campaign of that id was started before, it is returned
            as it stands. None: a new one.
    """
    now, key = store.clock(), name or new_id()
    campaign = Campaign(**vars(plan), id=key, state=CampaignState.OPEN, charged=0, created=now)
    payload = dict(vars(plan))
    with store.writing() as connection:
        row = connection.execute(select(campaigns).where(campaigns.c.id == key)).first()
        if row is not None:
            return Campaign(**row._mapping)
        connection.execute(insert(campaigns).values(**vars(campaign)))
        append(connection, now, Event(campaign.id, "campaign_created", payload))
    return campaign


def get_campaign(store: Store, campaign: str) -> Campaign:
    """The campaign of that id, or `UnknownName`."""
    with store.reading() as connection:
        return find_campaign(connection, campaign)


def list_campaigns(store: Store) -> list[Campaign]:
    """All campaigns, oldest first."""
    with store.reading() as connection:
        rows = connection.execute(select(campaigns).order_by(campaigns.c.created))
        return [Campaign(**row._mapping) for row in rows]


def find_campaign(connection: Connection, campaign: str) -> Campaign:
    """As `get_campaign`, within a transaction."""
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign)).first()
    if row is None:
        raise UnknownName(campaign, "there is no such campaign", "Create it first.")
    return Campaign(**row._mapping)


def set_state(store: Store, campaign: str, state: CampaignState) -> Campaign:
    """Move on: open → frozen → opened → closed, or closed at any time; else `Conflict`."""
    with store.writing() as connection:
        present = find_campaign(connection, campaign).state
        if state not in NEXT[present]:
            allowed = ", ".join(sorted(NEXT[present])) or "no other"
            raise Conflict(
                f"{present} → {state}",
                "a campaign cannot change its state so",
                f"From {present} it can become {allowed}.",
            )
        connection.execute(update(campaigns).where(campaigns.c.id == campaign).values(state=state))
        payload = {"from": present, "to": state}
        append(connection, store.clock(), Event(campaign, "state_changed", payload))
        return find_campaign(connection, campaign)


def beat(store: Store, campaign: str, seconds: float) -> float:
    """Add to the seconds that a campaign has been served; return their sum.

    No event of the ledger: it comes twice a second.
    """
    with store.writing() as connection:
        connection.execute(
            update(campaigns)
            .where(campaigns.c.id == campaign)
            .values(ran=campaigns.c.ran + seconds)
        )
        return find_campaign(connection, campaign).ran


def charge(connection: Connection, campaign: str) -> None:
    """Use up one submission of the pool."""
    connection.execute(
        update(campaigns).where(campaigns.c.id == campaign).values(charged=campaigns.c.charged + 1)
    )
