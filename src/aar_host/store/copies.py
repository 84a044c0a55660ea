"""A consistent copy of a whole database as one file, taken while it is in use, and the way back."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from sqlalchemy import URL, inspect

from aar_host.settings import environment
from aar_host.store.engines import BUSY_SECONDS, make_engine, parse_url, shown
from aar_lab.errors import Conflict, Unavailable


class CopyKind(StrEnum):
    """What a copy is: a file of SQLite, or what `pg_dump -Fc` writes."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


def kind_of(where: str | Path) -> CopyKind:
    """Which kind of copy a database gives; `BadSettings` as of `open_store`."""
    return CopyKind(parse_url(where).get_backend_name())


def copy_database(where: str | Path, file: Path) -> None:
    """Write one snapshot of the database to a new file; writers go on meanwhile.

    Raises:
        Unavailable: the database cannot be read, or `pg_dump` is missing.
    """
    url = parse_url(where)
    if kind_of(where) is CopyKind.SQLITE:
        _copy_sqlite(Path(str(url.database)), file)
    else:
        _run(["pg_dump", "--format=custom", f"--file={file}"], url)


def restore_database(file: Path, where: str | Path) -> None:
    """Fill an empty database from a copy of its own kind, whole or not at all.

    Raises:
        Conflict: it holds tables already.
        Unavailable: the copy cannot be read back, or `pg_restore` is missing.
    """
    url = parse_url(where)
    if kind_of(where) is CopyKind.SQLITE:
        if Path(str(url.database)).exists():
            raise Conflict(shown(url), "it exists", "Restore into a new directory.")
        _copy_sqlite(file, Path(str(url.database)))
        return
    engine = make_engine(url)
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
    engine.dispose()
    if tables:
        raise Conflict(shown(url), f"it holds {len(tables)} tables", "Give an empty database.")
    words = ["pg_restore", "--no-owner", "--exit-on-error", "--single-transaction"]
    _run([*words, str(file)], url)


def _copy_sqlite(source: Path, target: Path) -> None:
    try:
        address = f"{source.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, BUSY_SECONDS, uri=True)) as one:
            with closing(sqlite3.connect(target)) as other:
                one.backup(other)
    except sqlite3.Error as error:
        raise Unavailable(source, f"it cannot be copied ({error})", "See `aar fsck`.") from error


def _run(command: list[str], url: URL) -> None:
    """Run a tool of PostgreSQL; the password goes by the environment, which others cannot see."""
    if shutil.which(command[0]) is None:
        raise Unavailable(
            command[0], "it is not installed", "Install it: apt-get install postgresql-client"
        )
    user, host, port = url.username, url.host, url.port
    plain = URL.create("postgresql", user, None, host, port, url.database, url.query)
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    ended = subprocess.run(
        [*command, f"--dbname={plain.render_as_string()}"],
        env=environment(**secret),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        told = " ".join(ended.stderr.split())[:500]
        raise Unavailable(f"{command[0]} of {shown(url)}", told, "Mend it and try again.")
