"""Tokens: who somebody is follows from the token alone, and from nothing else a client says."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from aar_host.store.actors import Grant, actor_of_token, register_actor, revoke_actor
from aar_host.store.database import Store
from aar_lab.digest import digest_text
from aar_lab.errors import BadInput, NotAuthorised
from aar_lab.types import Role

TOKEN_BYTES = 32
MAX_NAME = 80


@dataclass(frozen=True)
class Actor:
    """Somebody who acts in one campaign, in one role."""

    id: str
    campaign: str
    problem: str
    name: str
    role: Role


def issue(store: Store, campaign: str, name: str, role: Role, hours: float) -> str:
    """A new token for the actor of that name; an earlier token of the same name becomes void.

    Only its SHA-256 is stored: who loses the token asks for a new one.

    Args:
        name: 1…MAX_NAME printable characters on one line.
        hours: life of the token, above 0.

    Raises:
        BadInput: the name or the life is out of range.
        Conflict: the name acts in this campaign in another role.
    """
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise BadInput(repr(name)[:100], f"a name has 1…{MAX_NAME} printable characters", "Rename.")
    if not hours > 0:
        raise BadInput(f"{hours} hours", "a token's life is above 0", "Give more hours.")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    grant = Grant(digest_text(token), store.clock() + hours * 3600)
    register_actor(store, campaign, name, role, grant)
    return token


def authenticate(store: Store, token: str) -> Actor:
    """The actor of a token, or `NotAuthorised` if it is unknown, expired or revoked."""
    # The database looks up a digest, so its timing tells nothing about any token's characters.
    hashed = digest_text(token)
    row = actor_of_token(store, hashed)
    if row is None or not hmac.compare_digest(row.token_hash, hashed):
        raise NotAuthorised("token", "it is not known here", "Ask the operator for a token.")
    if row.revoked or row.expires <= store.clock():
        raise NotAuthorised("token", "it has expired or was revoked", "Ask for a new token.")
    return Actor(row.id, row.campaign, row.problem, row.name, row.role)


def revoke(store: Store, actor: str) -> None:
    """Make the token of an actor (by id) void at once; `UnknownName` if there is no such actor."""
    revoke_actor(store, actor)
