"""Rows of those who act in a campaign. What a token is and means belongs to `aar_host.auth`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from aar_host.store.campaigns import find_campaign
from aar_host.store.database import Store, new_id
from aar_host.store.ledger import Event, append
from aar_host.store.schema import actors, campaigns
from aar_lab.errors import Conflict, UnknownName
from aar_lab.types import RESEARCHERS, Role


@dataclass(frozen=True)
class Grant:
    """The hash of a token and the time at which it expires."""

    token_hash: str
    expires: float


def register_actor(store: Store, campaign: str, name: str, role: Role, grant: Grant) -> str:
    """Add an actor, or give an existing one a new token (the old one is then void).

    Returns:
        The actor's id, which it keeps for the whole campaign.

    Raises:
        UnknownName: no such campaign.
        Conflict: the name is taken in this campaign by an actor of another role.
    """
    with store.writing() as connection:
        find_campaign(connection, campaign)
        row = connection.execute(
            select(actors).where(actors.c.campaign == campaign, actors.c.name == name)
        ).first()
        if row is not None and row.role != role:
            raise Conflict(name, f"already acts here as {row.role}", "Choose another name.")
        values = {**vars(grant), "revoked": False}
        if row is None:
            actor = new_id()
            connection.execute(
                insert(actors).values(id=actor, campaign=campaign, name=name, role=role, **values)
            )
        else:
            actor = row.id
            connection.execute(update(actors).where(actors.c.id == actor).values(**values))
        payload = {"name": name, "role": role, "expires": grant.expires}
        append(connection, store.clock(), Event(campaign, "token_issued", payload, actor))
        return actor


def researchers_in(connection: Connection, campaign: str) -> list[str]:
    """The ids of those who research in a campaign, within a transaction."""
    query = select(actors.c.id).where(actors.c.campaign == campaign)
    return list(connection.scalars(query.where(actors.c.role.in_(RESEARCHERS)).order_by("name")))


def find_actor(store: Store, campaign: str, name: str) -> str:
    """The id of the actor of that name, or `UnknownName`."""
    query = select(actors.c.id).where(actors.c.campaign == campaign, actors.c.name == name)
    with store.reading() as connection:
        actor: str | None = connection.execute(query).scalar_one_or_none()
    if actor is None:
        raise UnknownName(name, "nobody of that name acts here", "Issue a token first.")
    return actor


def actor_of_token(store: Store, token_hash: str) -> Row[Any] | None:
    """The actor (with `problem` of its campaign) whose token has this hash, or None."""
    query = (
        select(actors, campaigns.c.problem)
        .join(campaigns, campaigns.c.id == actors.c.campaign)
        .where(actors.c.token_hash == token_hash)
    )
    with store.reading() as connection:
        return connection.execute(query).first()


def revoke_actor(store: Store, actor: str) -> None:
    """Make the actor's token void from now on; `UnknownName` if there is no such actor."""
    with store.writing() as connection:
        campaign = connection.execute(
            select(actors.c.campaign).where(actors.c.id == actor)
        ).scalar_one_or_none()
        if campaign is None:
            raise UnknownName(actor, "there is no such actor", "Give an actor's id.")
        connection.execute(update(actors).where(actors.c.id == actor).values(revoked=True))
        append(connection, store.clock(), Event(campaign, "token_revoked", actor=actor))
