"""Openings: the sealed part of given test items is read once, by one campaign."""

from __future__ import annotations

from sqlalchemy import insert, select

from aar_host.store.campaigns import find_campaign
from aar_host.store.database import Store
from aar_host.store.ledger import Event, append
from aar_host.store.schema import CampaignState, openings
from aar_lab.errors import Conflict


def record_opening(store: Store, campaign: str, data: str) -> None:
    """Take the one right to open the sealed part; a campaign that has it may go on while frozen.

    Args:
        data: digest of the test items, 64 hexadecimal digits.

    Raises:
        Conflict: another campaign opened these items, or this one is not frozen (any more).
    """
    with store.writing() as connection:
        state = find_campaign(connection, campaign).state
        if state is not CampaignState.FROZEN:
            raise Conflict(
                f"campaign {campaign} is {state}",
                "the sealed part is opened once, while the campaign is frozen",
                "Draw new sealed data with `aar reseal`.",
            )
        query = select(openings.c.campaign).where(openings.c.data == data)
        holder = connection.execute(query).scalar_one_or_none()
        if holder is None:
            now = store.clock()
            connection.execute(insert(openings).values(data=data, campaign=campaign, time=now))
            append(connection, now, Event(campaign, "sealed_opened", {"data": data}))
        elif holder != campaign:
            raise Conflict(
                f"test items {data[:16]}",
                f"their sealed part was opened by campaign {holder}",
                "Draw new sealed data with `aar reseal`.",
            )
