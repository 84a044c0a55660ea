"""A campaign as one archive: a consistent copy of its database, and its directory.

The archive holds the labels of the test items. It is readable by its owner alone, and whoever
has it can read every label.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aar_host.jobs.fsck import fsck
from aar_host.jobs.places import OWN, campaign_of, database_of, note_campaign, place_of
from aar_host.store import open_store
from aar_host.store.copies import CopyKind, copy_database, kind_of, restore_database
from aar_host.store.evidence import Check
from aar_lab.errors import BadInput, BadSettings, Conflict

FORMAT = 1
HEAD, DATABASE, FILES = "backup.json", "database", "files"
MAX_BYTES = 64 << 30
MAX_MEMBERS = 1_000_000
MAX_HEAD_BYTES = 4096
PRIVATE = 0o700
UNREADABLE = (ValueError, LookupError, TypeError, RecursionError, FileNotFoundError)


def backup(directory: Path, file: Path) -> Mapping[str, Any]:
    """Write the campaign that lives in `directory` to an archive, while it runs or after.

    On PostgreSQL the archive holds the whole database, other campaigns of it included.

    Args:
        file: a new file outside of the directory; it is there whole (mode 0600) or not at all.

    Returns:
        The archive's head: format, campaign, kind of database.

    Raises:
        BadInput: no campaign lives there, or the file would lie in it.
        Conflict: the file exists.
        Unavailable: the database cannot be copied.
    """
    head = {"format": FORMAT, "campaign": campaign_of(directory)}
    where = place_of(directory)
    head["database"] = kind_of(where).value
    if file.absolute().resolve().is_relative_to(directory.resolve()):
        raise BadInput(file, "it lies in the campaign's directory", "Write it elsewhere.")
    if file.exists():
        raise Conflict(file, "it exists", "Give the name of a new file.")
    with _draft(file) as draft, tempfile.TemporaryDirectory(dir=draft.parent) as folder:
        copy = Path(folder) / DATABASE
        copy_database(where, copy)
        with tarfile.open(draft, "w") as archive:
            _add_head(archive, head)
            archive.add(copy, DATABASE, filter=_anonymous)
            _add_files(archive, directory)
    return head


def restore(file: Path, directory: Path) -> list[Check]:
    """Bring a campaign back from an archive, then check all of it.

    An archive of SQLite becomes DIR/store.db; one of PostgreSQL fills the empty database that
    `AAR_DATABASE_URL` names.

    Args:
        directory: new or empty; it is there whole or not at all.

    Returns:
        What `fsck` says of it.

    Raises:
        Conflict: the directory or the database is not empty.
        BadInput: the file is no such archive, or too large.
        BadSettings: an archive of PostgreSQL, and no empty database is named.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Conflict(directory, "it is not empty", "Give a new directory.")
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.absolute().parent))
    try:
        head = _extract(file, draft)
        where = _restored(draft / DATABASE, draft / FILES, head) or str(directory / OWN)
        (draft / FILES).rename(directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    note_campaign(directory, str(head["campaign"]), where)
    open_store(where).close()  # an older schema becomes the present one
    return fsck(directory)


def _restored(copy: Path, files: Path, head: Mapping[str, Any]) -> str:
    """Put the copy in its place; returns its URL, or nothing where it lies among the files."""
    if head["database"] == CopyKind.SQLITE:
        restore_database(copy, files / OWN)
        return ""
    where = database_of(files)
    if kind_of(where) is not CopyKind.POSTGRESQL:
        raise BadSettings(
            f"AAR_DATABASE_URL={where if '://' in where else ''}",
            "the archive is of a PostgreSQL database",
            "Set it to an empty database on PostgreSQL.",
        )
    restore_database(copy, where)
    return where


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """A file for its owner alone that takes its name when the context ends well."""
    draft = file.absolute().with_name(f".{file.name}-{secrets.token_hex(4)}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


def _add_head(archive: tarfile.TarFile, head: Mapping[str, Any]) -> None:
    content = json.dumps(head).encode()
    entry = tarfile.TarInfo(HEAD)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _add_files(archive: tarfile.TarFile, directory: Path) -> None:
    """Regular files and folders, without the database's own and without unfinished drafts."""
    archive.add(directory, FILES, recursive=False, filter=_anonymous)
    for path in sorted(directory.rglob("*")):
        inside = path.relative_to(directory)
        unfinished = any(part.startswith(".") for part in inside.parts)
        own = inside.parts[0].startswith(OWN)
        plain = not path.is_symlink() and (path.is_file() or path.is_dir())
        if plain and not unfinished and not own:
            archive.add(path, f"{FILES}/{inside}", recursive=False, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the names and numbers of this machine's users."""
    return entry.replace(uid=0, gid=0, uname="", gname="", deep=False)


def _extract(file: Path, draft: Path) -> Mapping[str, Any]:
    """Unpack into a new folder; returns the archive's head."""
    try:
        with tarfile.open(file, "r:") as archive:
            entries = _entries(file, archive)
            archive.extractall(draft, entries, filter=_kept)
        with (draft / HEAD).open("rb") as written:
            head = json.loads(written.read(MAX_HEAD_BYTES))
        if (head["format"], str(head["campaign"])) != (FORMAT, campaign_of(draft / FILES)):
            raise BadInput(file, "its head does not fit its content", "Give another backup.")
        CopyKind(head["database"])
    except (tarfile.TarError, *UNREADABLE) as error:
        raise BadInput(
            file, f"not a backup of a campaign ({error})", "Give a file of `aar backup`."
        ) from error
    return {**head}


def _entries(file: Path, archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """The archive's members, if they are few, small and plain; else `BadInput`."""
    found: list[tarfile.TarInfo] = []
    size = 0
    for entry in archive:
        size += entry.size
        if len(found) >= MAX_MEMBERS or size > MAX_BYTES:
            raise BadInput(file, "larger than any campaign", "Unpack it by hand, with care.")
        if not (entry.isreg() or entry.isdir()) or entry.issparse():
            raise BadInput(file, f"{entry.name!r} is no plain file", "Give a file of `aar backup`.")
        found.append(entry)
    return found


def _kept(entry: tarfile.TarInfo, place: str) -> tarfile.TarInfo:
    """Python's own filter, which lets nothing out of the folder; private folders stay private."""
    safe = tarfile.data_filter(entry, place)
    return safe.replace(mode=entry.mode & 0o755 | PRIVATE, deep=False) if entry.isdir() else safe
