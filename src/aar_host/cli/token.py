"""`aar token`: who may act in a campaign, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aar_host.auth import issue, revoke
from aar_host.cli.common import json_option
from aar_host.jobs.places import open_campaign_store
from aar_host.settings import number
from aar_host.store import Store
from aar_host.store.actors import find_actor
from aar_host.store.campaigns import get_campaign
from aar_lab.errors import BadInput, UnknownName
from aar_lab.types import Role

ROLES = [role.value for role in Role]


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True)
@click.option("--hours", type=float, help="Of its life; default: the setting token_hours.")
@click.option("--revoke", "revoked", is_flag=True, help="Make the token of that name void.")
@json_option
def token(directory: Path, name: str, revoked: bool, as_json: bool, **asked: Any) -> dict[str, Any]:
    """Issue a token for NAME in the campaign of DIRECTORY; it is shown once and stored nowhere.

    A new one makes the earlier one of the same name void.

    Example: aar token runs/open grace --role human-researcher --hours 8
    """
    store, campaign = open_campaign_store(directory)
    _check_set_up(store, campaign, directory)
    if revoked:
        revoke(store, find_actor(store, campaign, name))
        shown, found = f"The token of {name} is void.", {"name": name, "revoked": True}
    else:
        shown, found = _issued(store, campaign, name, **asked)
    if not as_json:
        click.echo(shown)
    return {"campaign": campaign, **found}


def _check_set_up(store: Store, campaign: str, directory: Path) -> None:
    try:
        get_campaign(store, campaign)
    except UnknownName as error:
        raise BadInput(
            directory, "it is not set up yet", "Wait, or see `aar serve --resume`."
        ) from error


def _issued(
    store: Store, campaign: str, name: str, role: str, hours: float | None
) -> tuple[str, dict[str, Any]]:
    life = float(number("token_hours")) if hours is None else hours
    found = issue(store, campaign, name, Role(role), life)
    return found, {"name": name, "role": role, "hours": life, "token": found}
