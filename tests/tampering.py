"""Changing a database as somebody with full access to it could: past triggers and references."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from aar_host.store.schema import APPEND_ONLY


def tamper(where: str, *statements: str) -> None:
    """Run the statements where nothing holds them back."""
    if "://" in where:
        _postgresql(where, statements)
    else:
        _sqlite(where, statements)


def _sqlite(where: str, statements: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(where)) as connection:
        for table in APPEND_ONLY:
            for verb in ("update", "delete"):
                connection.execute(f"DROP TRIGGER IF EXISTS {table.name}_no_{verb}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def _postgresql(where: str, statements: tuple[str, ...]) -> None:
    with create_engine(where, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        for statement in statements:
            connection.exec_driver_sql(statement)
