"""Opening the database, and its two kinds of transaction.

Several processes use one SQLite file at once: the server, the job workers, the fleet. Writers
take the write lock when they begin, so that what they read is still true when they write.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from aar_lab.digest import canonical
from aar_lab.errors import BadSettings, Unavailable

Clock = Callable[[], float]
BUSY_SECONDS = 30.0

# Alembic keeps its context in module globals, so that two threads must not migrate at once.
_migrating = threading.Lock()


class Store:
    """A migrated database and the clock that stamps what is written to it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self.clock = clock

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one snapshot and never waits for a writer."""
        with self._transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; all or nothing.

        Raises:
            Unavailable: other writers held the lock for `BUSY_SECONDS`, or the disk is full.
        """
        with self._transaction(self._engine.execution_options(immediate=True)) as connection:
            yield connection

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise Unavailable(
                engine.url.database,
                f"the database does not answer ({error.orig})",
                "See that its folder can be written and its disk has room, then try again.",
            ) from error


def open_store(where: str | Path, clock: Clock = time.time) -> Store:
    """Open the database, create or migrate it to the newest schema.

    Args:
        where: a path of a SQLite file, or an SQLAlchemy URL.
        clock: gives seconds since 1970; injected by tests.

    Raises:
        BadSettings: the URL is not of SQLite.
        Unavailable: the file cannot be opened.
    """
    text = str(where)
    url = make_url(text if "://" in text else f"sqlite:///{Path(text).absolute()}")
    if url.get_backend_name() != "sqlite" or not url.database:
        raise BadSettings(
            url.render_as_string(), "only SQLite files are supported", "Give the path of a file."
        )
    # No pool: a connection must not survive a fork, and opening one takes a fraction of a ms.
    engine = create_engine(
        url,
        poolclass=NullPool,
        json_serializer=canonical,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    store = Store(engine, clock)
    _migrate(store)
    return store


def new_id() -> str:
    """A random name of 12 hexadecimal digits."""
    return secrets.token_hex(6)


def _on_connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")


def _on_begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _migrate(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", "aar_host.store:migrations")
    newest = ScriptDirectory.from_config(config).get_current_head()
    with store.reading() as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
    with _migrating, store.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
