"""Opening the database, and its two kinds of transaction.

Several processes use one database at once: the server, the job workers, the fleet. Writers take
the write lock when they begin, so that what they read is still true when they write.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import (
    DataError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from aar_host.store.engines import (
    BUSY_SECONDS,
    make_engine,
    parse_url,
    reading_options,
    shown,
    writing_options,
)
from aar_host.store.migrating import migrate, newest, present
from aar_lab.errors import BadInput, Conflict, Unavailable

Clock = Callable[[], float]


class Store:
    """A migrated database and the clock that stamps what is written to it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**reading_options(engine.url))
        self._writer = engine.execution_options(**writing_options(engine.url))
        self.clock = clock
        # Threads of one process wait here in turn; the database would let them poll.
        self._turn = threading.Lock()

    @property
    def url(self) -> URL:
        """Where the database is; show it by `engines.shown` alone, which hides the password."""
        return self._engine.url

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one snapshot and never waits for a writer."""
        with _typed_errors(self.url), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; all or nothing.

        Raises:
            Unavailable: other writers held the lock for `engines.BUSY_SECONDS`, the disk is full,
                or the database does not answer.
            BadInput: a value that the database cannot hold, such as a NUL in a text.
        """
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise Unavailable(shown(self.url), "other writers do not end", "Try again later.")
        try:
            with _typed_errors(self.url), self._writer.begin() as connection:
                yield connection
        finally:
            self._turn.release()

    def close(self) -> None:
        """Give back the connections that wait for use; the store can be used on."""
        self._engine.dispose()


def open_store(where: str | Path, clock: Clock = time.time) -> Store:
    """Open the database, create or migrate it to the newest schema.

    Args:
        where: a path of a SQLite file, or an SQLAlchemy URL of SQLite or PostgreSQL.
        clock: gives seconds since 1970; injected by tests.

    Raises:
        BadSettings: the URL is of another database, or cannot be read.
        Unavailable: the database cannot be opened, or its driver is missing.
    """
    engine = make_engine(parse_url(where))
    store = Store(engine, clock)
    with store.reading() as connection:
        if present(connection) == newest():
            return store
    with _typed_errors(engine.url):
        migrate(engine)
    return store


def view_store(where: str | Path, clock: Clock = time.time) -> Store:
    """Open a database that exists to read it alone: nothing is created, migrated or written.

    Raises:
        BadSettings, Unavailable: as of `open_store`.
        Conflict: its schema is not that of this version.
    """
    url = parse_url(where)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise Unavailable(url.database, "there is no such database", "Give a campaign's directory.")
    store = Store(make_engine(url, read_only=True), clock)
    with store.reading() as connection:
        found, expected = present(connection), newest()
    if found != expected:
        raise Conflict(
            shown(url),
            f"its schema is {found or 'absent'}, this version reads {expected}",
            "Use the version that made it, or resume the campaign with this one.",
        )
    return store


def new_id() -> str:
    """A random name of 12 hexadecimal digits."""
    return secrets.token_hex(6)


@contextmanager
def _typed_errors(url: URL) -> Iterator[None]:
    """Failures of the database itself as ours; mistakes in statements stay what they are."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise Unavailable(
            shown(url), f"the database does not answer ({_cause(error, url)})", _remedy(url)
        ) from error
    except DataError as error:
        raise BadInput(
            "value", f"the database cannot hold it ({_cause(error, url)})", "Correct it."
        ) from error
    except ProgrammingError as error:
        if "permission denied" not in str(error.orig):
            raise
        raise Unavailable(
            shown(url), _cause(error, url), "Let the user own the database, or grant it the rights."
        ) from error


def _cause(error: SQLAlchemyError, url: URL) -> str:
    """The database's own words on one line, without the password."""
    text = " ".join(str(getattr(error, "orig", None) or error).split())
    return text.replace(str(url.password), "***") if url.password else text


def _remedy(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return "See that its folder can be written and its disk has room, then try again."
    return "See that the database server runs and lets this user in, then try again."
