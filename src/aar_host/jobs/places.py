"""Which database a campaign's directory belongs to, and which campaign of it: DIR/campaign.json."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aar_host.jobs.manifest import NAME, read_manifest, write_manifest
from aar_host.settings import setting
from aar_host.store import Store, open_store, view_store
from aar_host.store.database import Clock
from aar_host.store.engines import parse_url, shown
from aar_lab.errors import BadSettings

OWN = "store.db"


def database_of(directory: Path) -> str:
    """What `open_store` is given for a campaign that begins in `directory`: a path or a URL."""
    return setting("database_url") or str(directory / OWN)


def noted_database(directory: Path, database: str = "") -> str:
    """What campaign.json says of the database: store.db, or a URL without its password.

    Args:
        database: what `database_of` gave; left out, it is asked.
    """
    where = parse_url(database or database_of(directory))
    return OWN if where == parse_url(directory / OWN) else shown(where)


def note_campaign(directory: Path, campaign: str, database: str = "") -> None:
    """Write which campaign lives in `directory`, as soon as it exists; as `noted_database`."""
    note = {"campaign": campaign, "database": noted_database(directory, database)}
    write_manifest(directory, note)


def campaign_of(directory: Path) -> str:
    """The campaign that lives in `directory`; `BadInput` if none does."""
    return str(read_manifest(directory)["campaign"])


def place_of(directory: Path) -> str:
    """What `open_store` is given for the campaign that lives in `directory`; errors as there."""
    return _noted(directory, read_manifest(directory))


def open_campaign_store(directory: Path, clock: Clock = time.time) -> tuple[Store, str]:
    """Open the database of the campaign that lives in `directory`; return it and the campaign.

    Raises:
        BadInput: no campaign lives there.
        BadSettings: it was stored in another database than `AAR_DATABASE_URL` names.
        Unavailable: as of `open_store`.
    """
    note = read_manifest(directory)
    return open_store(_noted(directory, note), clock), str(note["campaign"])


def view_campaign_store(directory: Path) -> tuple[Store, str]:
    """As `open_campaign_store`, to read alone; see `view_store`."""
    note = read_manifest(directory)
    return view_store(_noted(directory, note)), str(note["campaign"])


def _noted(directory: Path, note: Mapping[str, Any]) -> str:
    noted = note.get("database", OWN)
    if noted == OWN:
        return str(directory / OWN)
    asked = setting("database_url")
    if asked and shown(parse_url(asked)) == noted:
        return asked
    raise BadSettings(
        f"AAR_DATABASE_URL={shown(parse_url(asked)) if asked else ''}",
        f"the campaign in {directory} is stored in {noted}",
        f"Set it to that database; if this has moved, correct {NAME}.",
    )
