"""DIR/campaign.json: whose directory it is and what was asked for, written before all else.

Its only reader and writer; `campaign` is the id under which the store knows the campaign.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aar_lab.errors import BadInput, Corrupt

NAME = "campaign.json"


def write_manifest(directory: Path, body: Mapping[str, Any]) -> None:
    """Write it in one step, for the host's user alone; it is on the disk when this returns."""
    draft = directory / f".{NAME}-{secrets.token_hex(4)}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(body, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(directory / NAME)


def has_manifest(directory: Path) -> bool:
    """Whether a directory is, or was to become, that of a campaign."""
    return (directory / NAME).exists()


def read_manifest(directory: Path) -> dict[str, Any]:
    """What was written, at least {"campaign": id}.

    Raises:
        BadInput: the directory holds no campaign.
        Corrupt: the file is no such JSON.
    """
    try:
        body = json.loads((directory / NAME).read_bytes())
    except OSError as error:
        raise BadInput(
            directory, f"it holds no campaign ({NAME}: {error.strerror})", "Name one of `aar run`."
        ) from error
    except ValueError as error:
        raise Corrupt(directory / NAME, str(error), "Restore it from a backup.") from error
    if not isinstance(body, dict) or not isinstance(body.get("campaign"), str):
        raise Corrupt(directory / NAME, "it names no campaign", "Restore it from a backup.")
    return body
