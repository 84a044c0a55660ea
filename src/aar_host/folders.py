"""Folders that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path


def put(folder: Path, fill: Callable[[Path], object]) -> None:
    """Make a folder in one step, for its owner alone; where it is already there, it stays.

    For content that its name fixes: whoever comes second throws the same content away.

    Args:
        folder: where it shall be; folders above it are made.
        fill: writes the content into the empty folder that it is given.
    """
    draft = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    draft.mkdir(parents=True, mode=0o700)
    try:
        fill(draft)
        os.rename(draft, folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
