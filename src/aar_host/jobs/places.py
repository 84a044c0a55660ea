"""Which database a campaign's directory belongs to, and which campaign of it: DIR/campaign.json."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aar_host.settings import setting
from aar_host.store import Store, open_store, view_store
from aar_host.store.database import Clock
from aar_host.store.engines import parse_url, shown
from aar_lab.errors import BadInput, BadSettings

NOTE = "campaign.json"
OWN = "store.db"


def database_of(directory: Path) -> str:
    """What `open_store` is given for a campaign that begins in `directory`: a path or a URL."""
    return setting("database_url") or str(directory / OWN)


def note_campaign(directory: Path, campaign: str, database: str = "") -> None:
    """Write which campaign lives in `directory`, as soon as it exists.

    Args:
        database: what `database_of` gave; left out, it is asked.
    """
    where = parse_url(database or database_of(directory))
    own = where == parse_url(directory / OWN)
    note = {"campaign": campaign, "database": OWN if own else shown(where)}
    draft = directory / f".{NOTE}-{secrets.token_hex(4)}"
    draft.write_text(json.dumps(note, indent=1))
    draft.rename(directory / NOTE)


def campaign_of(directory: Path) -> str:
    """The campaign that lives in `directory`; `BadInput` if none does."""
    return str(_note(directory)["campaign"])


def place_of(directory: Path) -> str:
    """What `open_store` is given for the campaign that lives in `directory`; errors as there."""
    return _noted(directory, _note(directory))


def open_campaign_store(directory: Path, clock: Clock = time.time) -> tuple[Store, str]:
    """Open the database of the campaign that lives in `directory`; return it and the campaign.

    Raises:
        BadInput: no campaign lives there.
        BadSettings: it was stored in another database than `AAR_DATABASE_URL` names.
        Unavailable: as of `open_store`.
    """
    note = _note(directory)
    return open_store(_noted(directory, note), clock), str(note["campaign"])


def view_campaign_store(directory: Path) -> tuple[Store, str]:
    """As `open_campaign_store`, to read alone; see `view_store`."""
    note = _note(directory)
    return view_store(_noted(directory, note)), str(note["campaign"])


def _note(directory: Path) -> Mapping[str, Any]:
    path = directory / NOTE
    try:
        found = json.loads(path.read_text())
        if isinstance(found, dict) and isinstance(found.get("campaign"), str):
            return found
    except FileNotFoundError as error:
        raise BadInput(
            directory, "no campaign lives there", "Give a directory that `aar run` has made."
        ) from error
    except ValueError as error:
        raise BadInput(path, f"not JSON ({error})", "Restore it from a backup.") from error
    raise BadInput(path, "it names no campaign", "Restore it from a backup.")


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
        f"Set it to that database; if this has moved, correct {NOTE}.",
    )
