"""What a researcher does with files, seen from outside: its box can neither forge nor stop it.

Names, links, modes and sizes are the box's to choose: no link is followed, nothing but regular
files is opened, and files, depth and bytes are bounded.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aar_host.looking import repeating
from aar_host.store import Store
from aar_host.store.ledger import Event, append
from aar_lab.errors import LabError
from aar_lab.forum import inline

CHANGED = "files_changed"
POLL_SECONDS = 2.0
MAX_NAME = 200
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Bounds:
    """How much of a workspace is looked at.

    Args:
        files: that are known at a time; what lies beyond is not seen.
        entries: of any kind, links and folders too, that one look goes over.
        depth: of folders.
        digest_bytes: of a file up to which its content is read.
        look_bytes: that are read in one look.
        told: changes that one look tells one by one.
    """

    files: int = 2000
    entries: int = 20_000
    depth: int = 16
    digest_bytes: int = 1 << 20
    look_bytes: int = 16 << 20
    told: int = 50


@dataclass(frozen=True)
class Change:
    """A file that was created, changed or deleted; `sha256` is None where it was not read."""

    kind: str
    path: str
    bytes: int
    sha256: str | None


@dataclass(frozen=True)
class Look:
    """What changed since the look before; `more` changes are counted alone.

    Args:
        whole: whether all files were seen; where not, none is said to be deleted.
    """

    changes: tuple[Change, ...] = ()
    more: int = 0
    whole: bool = True


@dataclass(frozen=True)
class _Known:
    """A file: what tells a new state of it from the old one, which a box cannot set back."""

    mark: tuple[int, int, int]
    bytes: int
    sha256: str | None


@dataclass
class _Round:
    """One look: what was found, and what may still be read."""

    bytes_left: int
    entries: int = 0
    found: dict[bytes, _Known] = field(default_factory=dict)
    whole: bool = True


class FileWatcher:
    """Looks at a workspace now and then; one thread works with it.

    Args:
        workspace: whose first look finds every file that is there new.
    """

    def __init__(self, workspace: Path, bounds: Bounds = Bounds()) -> None:
        self._workspace, self._bounds = workspace, bounds
        self._known: dict[bytes, _Known] = {}

    def poll(self) -> Look:
        """What changed; a workspace that is not there is empty."""
        found = _Round(self._bounds.look_bytes)
        with suppress(FileNotFoundError):
            self._walk(os.open(self._workspace, _FOLDER), b"", found)
        changes = list(self._compare(found))
        if not found.whole:
            found.found |= {k: v for k, v in self._known.items() if k not in found.found}
            found.found = dict(list(found.found.items())[: self._bounds.files])
        self._known = found.found
        told = tuple(changes[: self._bounds.told])
        return Look(told, len(changes) - len(told), found.whole)

    def _walk(self, folder: int, path: bytes, found: _Round, depth: int = 0) -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    found.entries += 1
                    many = found.entries > self._bounds.entries
                    if many or len(found.found) >= self._bounds.files:
                        found.whole = False
                        return
                    self._see(folder, os.fsencode(entry.name), path, (found, depth))
        except OSError:
            found.whole = False
        finally:
            os.close(folder)

    def _see(self, folder: int, name: bytes, path: bytes, walk: tuple[_Round, int]) -> None:
        found, depth = walk
        inside = path + b"/" + name if path else name
        with suppress(FileNotFoundError, NotADirectoryError):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                found.found[inside] = self._file(folder, name, self._known.get(inside), found)
            elif stat.S_ISDIR(status.st_mode) and depth + 1 >= self._bounds.depth:
                found.whole = False
            elif stat.S_ISDIR(status.st_mode):
                self._enter((folder, name), inside, found, depth + 1)

    def _enter(self, where: tuple[int, bytes], path: bytes, found: _Round, depth: int) -> None:
        """A folder that cannot be opened hides what is in it, and nothing beside it."""
        try:
            inner = os.open(where[1], _FOLDER, dir_fd=where[0])
        except OSError:
            found.whole = False
            return
        self._walk(inner, path, found, depth)

    def _file(self, folder: int, name: bytes, known: _Known | None, found: _Round) -> _Known:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        mark = (status.st_ino, status.st_ctime_ns, status.st_size)
        if known is not None and known.mark == mark:
            return known
        digest = None
        if status.st_size <= min(self._bounds.digest_bytes, found.bytes_left):
            found.bytes_left -= status.st_size
            digest = _digest(folder, name, self._bounds.digest_bytes)
        return _Known(mark, status.st_size, digest)

    def _compare(self, found: _Round) -> Iterator[Change]:
        for path, now in sorted(found.found.items()):
            before = self._known.get(path)
            if before is None:
                yield Change("created", shown(path), now.bytes, now.sha256)
            elif before.mark != now.mark and (now.sha256 is None or now.sha256 != before.sha256):
                yield Change("changed", shown(path), now.bytes, now.sha256)
        if found.whole:
            for path in sorted(self._known.keys() - found.found.keys()):
                yield Change("deleted", shown(path), self._known[path].bytes, None)


def _digest(folder: int, name: bytes, most: int) -> str | None:
    """Of a regular file of at most so many bytes; None for anything else."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        try:
            content = file.read(most + 1)
        except OSError:
            return None
    return hashlib.sha256(content).hexdigest() if len(content) <= most else None


def shown(path: bytes) -> str:
    """A name that a box chose, on one line and harmless in a terminal."""
    text = inline(path.decode("utf-8", errors="backslashreplace"))
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 1]}…"


def record_look(store: Store, campaign: str, researcher: str, look: Look) -> None:
    """Write what changed as one event; nothing, if nothing did."""
    if not look.changes:
        return
    payload: dict[str, Any] = {"researcher": researcher, "more": look.more, "whole": look.whole}
    payload["changes"] = [vars(change) for change in look.changes]
    with store.writing() as connection:
        append(connection, store.clock(), Event(campaign, CHANGED, payload))


@contextmanager
def watching_files(store: Store, campaign: str, workspaces: Mapping[str, Path]) -> Iterator[None]:
    """Record what changes in workspaces, from a thread, while the context lasts.

    Args:
        workspaces: name of each researcher → its workspace.
    """
    watchers = {name: FileWatcher(workspace) for name, workspace in workspaces.items()}

    def look() -> None:
        for name, watcher in watchers.items():
            try:
                record_look(store, campaign, name, watcher.poll())
            except (LabError, OSError) as error:
                # A busy database must not end the watch: this look is lost, the next is not.
                _log.warning("changes of files are not recorded: %s", error)

    with repeating(look, POLL_SECONDS, "files"):
        yield


_log = logging.getLogger(__name__)
