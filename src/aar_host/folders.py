"""Folders: there whole or not at all, and held by one process at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aar_lab.errors import Conflict

LOCK = ".lock"


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


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made if need be, while the context lasts or the process lives.

    Raises:
        Conflict: another process, or another thread, holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                folder, "another process is at work in it", "Wait for its end, or end it."
            ) from error
        yield
