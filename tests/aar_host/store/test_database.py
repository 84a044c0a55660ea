"""Opening, migrating, and the two kinds of transaction."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from aar_host.store import open_store
from aar_host.store.campaigns import get_campaign
from aar_host.store.schema import APPEND_ONLY, Tier, findings, metadata, methods
from aar_host.store.scores import record_score
from aar_lab.errors import BadSettings, Unavailable


def test_the_migrations_make_exactly_the_declared_schema(world):
    with world.store.reading() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_connections_use_wal_foreign_keys_and_a_busy_timeout(world):
    with world.store.reading() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 1, 30_000]


def test_opening_again_keeps_everything(world):
    again = open_store(f"sqlite:///{world.path}")
    assert get_campaign(again, world.campaign).problem == "chat-mini"


@pytest.mark.parametrize("where", ["postgresql://host/db", "sqlite://"])
def test_other_databases_are_refused(where):
    with pytest.raises(BadSettings, match="SQLite"):
        open_store(where)


def test_a_path_that_cannot_be_opened_is_a_typed_error(tmp_path):
    with pytest.raises(Unavailable, match="unable to open"):
        open_store(tmp_path / "absent" / "lab.db")


def test_a_failed_transaction_leaves_nothing_behind(world):
    def write_then_fail() -> None:
        with world.store.writing() as connection:
            connection.execute(insert(methods).values(digest="x", source="y"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_then_fail()
    with world.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM methods")).scalar() == 0


def test_foreign_keys_are_enforced(world):
    row = {"id": "f", "campaign": "absent", "actor": world.actor, "seq": 1, "created": 0.0}
    row |= {"kind": "result", "body": "b", "cites": []}
    with pytest.raises(IntegrityError), world.store.writing() as connection:
        connection.execute(insert(findings).values(**row))


@pytest.mark.parametrize("table", [table.name for table in APPEND_ONLY])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET rowid = rowid + 1000"])
def test_append_only_tables_refuse_change(world, table, statement):
    submission = world.submit("x = 1")
    record_score(world.store, submission, Tier.PUBLIC, {"pgr": 0.5})
    with pytest.raises(DatabaseError, match="append-only"), world.store.writing() as connection:
        connection.execute(text(statement.format(table)))


def _open_and_count(path: Path) -> None:
    with open_store(path).reading() as connection:
        connection.execute(text("SELECT count(*) FROM jobs"))


def test_several_processes_may_open_a_new_file_at_once(tmp_path):
    spawn = multiprocessing.get_context("fork")
    processes = [spawn.Process(target=_open_and_count, args=(tmp_path / "n.db",)) for _ in "1234"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
