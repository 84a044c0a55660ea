"""Bringing a database to the newest schema, in one transaction that holds the write lock."""

from __future__ import annotations

import threading

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from aar_host.store.engines import writing_options
from aar_lab.errors import Corrupt

# Alembic keeps its context in module globals, so that two threads must not migrate at once.
_migrating = threading.Lock()


def newest() -> str | None:
    """The revision that this version of the project works with."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def present(connection: Connection) -> str | None:
    """The revision of a database; None if it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine, to: str = "head") -> None:
    """Create or change all tables up to a revision; whoever comes second finds nothing to do.

    Raises:
        Corrupt: a row refers to one that does not exist; nothing was changed.
    """
    options = writing_options(engine.url) | {"migrating": True}
    with _migrating, engine.execution_options(**options).begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if connection.dialect.name == "sqlite":
            _check_references(connection)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "aar_host.store:migrations")
    return config


def _check_references(connection: Connection) -> None:
    astray = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if astray is not None:
        raise Corrupt(
            f"table {astray[0]}",
            f"a row refers to one of {astray[2]} that does not exist",
            "Restore the database from a backup; it was left as it was.",
        )
