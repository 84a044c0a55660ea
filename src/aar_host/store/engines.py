"""Engines of the two databases: SQLite files and PostgreSQL.

Columns, migrations and statements are the same on both; what differs is here: how a connection is
made, how a transaction begins, and what makes writers wait for each other.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, Pool

from aar_lab.digest import canonical
from aar_lab.errors import BadSettings, Unavailable

BUSY_SECONDS = 30.0
POOL: Mapping[str, Any] = {"pool_size": 8, "max_overflow": 32, "pool_timeout": BUSY_SECONDS}
POSTGRESQL = "postgresql+psycopg"
# The ledger is one chain, so whoever writes to a database holds this lock of it.
WRITE_LOCK = 0x6161725F6C656467

_pooled: WeakSet[Engine] = WeakSet()
_inherited: list[Pool] = []


def parse_url(where: str | Path) -> URL:
    """The URL of a path or of an SQLAlchemy URL, with the driver that we use.

    Raises:
        BadSettings: it is of neither database. No message holds a password.
    """
    text = str(where)
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise BadSettings(
            "database URL", "it cannot be read", f"Write {POSTGRESQL}://user:password@host/name."
        ) from error
    if url.get_backend_name() == "postgresql" and url.database:
        return _postgresql_url(url)
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, ":memory:"):
        return url
    raise BadSettings(
        shown(url),
        "neither a SQLite file nor a PostgreSQL database",
        f"Give a path, sqlite:///path, or {POSTGRESQL}://user:password@host/name.",
    )


def _postgresql_url(url: URL) -> URL:
    password = url.query.get("password")
    if isinstance(password, str):  # where nothing would hide it
        url = url.set(password=password).difference_update_query(["password"])
    return url.set(drivername=POSTGRESQL)


def shown(url: URL) -> str:
    """The URL without its password, or the path of a file."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.difference_update_query(["password"]).render_as_string(hide_password=True)


def make_engine(url: URL, read_only: bool = False) -> Engine:
    """An engine of the URL; with `read_only` nothing it does can change a file of SQLite."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, read_only)
    return _postgresql(url)


def reading_options(url: URL) -> dict[str, object]:
    """Execution options of a connection that reads one snapshot."""
    if url.get_backend_name() == "sqlite":
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def writing_options(url: URL) -> dict[str, object]:
    """Execution options of a connection that writes.

    On PostgreSQL a statement sees what was committed before it began; the write lock is taken by
    the first one, so all later ones see what every writer before left.
    """
    if url.get_backend_name() == "sqlite":
        return {"immediate": True}
    return {"isolation_level": "READ COMMITTED", "write_lock": True}


def _sqlite(url: URL, read_only: bool) -> Engine:
    # Closing the last connection writes the log back into the file, which takes longer than most
    # transactions: the pool keeps some open.
    more: dict[str, object] = {**POOL, "connect_args": {"timeout": BUSY_SECONDS}}
    if read_only:
        more = {"poolclass": NullPool, "creator": _reader(Path(str(url.database)).absolute())}
    engine = create_engine(url, json_serializer=canonical, **more)
    event.listen(engine, "connect", _say_begin if read_only else _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    _pooled.add(engine)
    return engine


def _reader(path: Path) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", BUSY_SECONDS, uri=True)

    return connect


def _say_begin(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # we say BEGIN ourselves


def _prepare_sqlite(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    _say_begin(connection, record)
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    # Recreating a table drops the one that others refer to. Within BEGIN this does nothing.
    migrating = options.get("migrating", False)
    connection.exec_driver_sql(f"PRAGMA foreign_keys = {'OFF' if migrating else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate", False) else "BEGIN")


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            **POOL,
            pool_pre_ping=True,
            json_serializer=canonical,
        )
    except ModuleNotFoundError as error:
        raise Unavailable(
            "psycopg",
            "the driver of PostgreSQL is not installed",
            "Install it: pip install 'automated-alignment-researchers[postgresql]'",
        ) from error
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "begin", _begin_postgresql)
    _pooled.add(engine)
    return engine


def _prepare_postgresql(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {round(BUSY_SECONDS * 1000)}")
    cursor.close()
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("write_lock", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


def _forget_connections() -> None:
    """In a forked child: the connections are the parent's, which must not notice."""
    for engine in list(_pooled):
        # Nor may it notice that they are collected, as SQLite's would be closed then.
        _inherited.append(engine.pool)
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_connections)
