"""Opening, and the two kinds of transaction, on both databases."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from aar_host.store import Tier, open_store, view_store
from aar_host.store.campaigns import get_campaign, list_campaigns
from aar_host.store.schema import APPEND_ONLY, findings, methods
from aar_host.store.scores import record_score
from aar_host.store.submissions import get_submission, list_submissions
from aar_lab.errors import BadInput, BadSettings, Unavailable


def test_sqlite_uses_wal_foreign_keys_and_a_busy_timeout(tmp_path):
    with open_store(tmp_path / "lab.db").reading() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 1, 30_000]


def test_opening_again_keeps_everything(world):
    again = open_store(world.where)
    assert get_campaign(again, world.campaign).problem == "chat-mini"
    again.close()


def test_a_sqlite_url_is_as_good_as_a_path(tmp_path):
    path = tmp_path / "odd ?#% name.db"
    open_store(path)
    assert path.exists()
    assert list_campaigns(open_store(f"sqlite:///{tmp_path}/plain.db")) == []


def test_plain_postgresql_urls_are_taken(postgresql):
    with postgresql.database() as url:
        store = open_store(url.replace("postgresql+psycopg://", "postgresql://"))
        assert list_campaigns(store) == []
        store.close()


@pytest.mark.parametrize("where", ["mysql://u:secret@host/db", "sqlite://", "postgresql://"])
def test_other_databases_are_refused_without_a_password(where):
    with pytest.raises(BadSettings, match="neither a SQLite file nor") as caught:
        open_store(where)
    assert "secret" not in str(caught.value)


def test_a_url_that_cannot_be_read_is_not_repeated():
    with pytest.raises(BadSettings, match="cannot be read") as caught:
        open_store("postgresql://u:secret@host:port/db")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret@/db?host={}", "postgresql://u@/db?host={}&password=secret"]
)
def test_a_server_that_does_not_answer_is_a_typed_error_without_a_password(url, tmp_path):
    with pytest.raises(Unavailable, match="does not answer") as caught:
        open_store(url.format(tmp_path))
    assert "secret" not in str(caught.value)


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


def test_a_reader_sees_one_snapshot_and_waits_for_nobody(world):
    count = text("SELECT count(*) FROM methods")
    with world.store.reading() as reader:
        before = reader.execute(count).scalar()
        with world.store.writing() as writer:
            writer.execute(insert(methods).values(digest="x", source="y"))
            assert reader.execute(count).scalar() == before
        assert reader.execute(count).scalar() == before
    with world.store.reading() as reader:
        assert reader.execute(count).scalar() == before + 1


def test_what_is_read_within_a_writing_transaction_is_still_true(world):
    """Read, then write on what was read, in four processes at once: no update is lost."""
    run_forked(lambda: _count_up(world.where, world.campaign), 4)
    assert get_campaign(world.store, world.campaign).charged == 40


def _count_up(where: str, campaign: str) -> None:
    store = open_store(where)
    for _ in range(10):
        with store.writing() as connection:
            read = text("SELECT charged FROM campaigns WHERE id = :id")
            charged = connection.execute(read, {"id": campaign}).scalar_one()
            write = text("UPDATE campaigns SET charged = :n WHERE id = :id")
            connection.execute(write, {"n": charged + 1, "id": campaign})


def test_a_forked_child_uses_connections_of_its_own(world):
    submission = world.submit("a")  # the pool holds connections now
    run_forked(lambda: [get_submission(world.store, submission) for _ in range(20)], 3)
    assert [found.id for found in list_submissions(world.store, world.campaign)] == [submission]


def test_a_value_that_no_text_can_hold_is_a_typed_error(postgresql):
    with postgresql.database() as url:
        store = open_store(url)
        with pytest.raises(BadInput, match="cannot hold"):
            get_submission(store, "a\0b")
        store.close()


def test_foreign_keys_are_enforced(world):
    row = {"id": "f", "campaign": "absent", "actor": world.actor, "seq": 1, "created": 0.0}
    row |= {"kind": "result", "body": "b", "cites": []}
    with pytest.raises(IntegrityError), world.store.writing() as connection:
        connection.execute(insert(findings).values(**row))


@pytest.mark.parametrize("table", [table.name for table in APPEND_ONLY])
@pytest.mark.parametrize("verb", ["DELETE FROM {0}", "UPDATE {0} SET {1} = {1}"])
def test_append_only_tables_refuse_change(world, table, verb):
    submission = world.submit("x = 1")
    record_score(world.store, submission, Tier.PUBLIC, {"pgr": 0.5})
    column = {"ledger": "seq", "scores": "tier", "methods": "digest"}[table]
    with pytest.raises(DatabaseError, match="append-only"), world.store.writing() as connection:
        connection.execute(text(verb.format(table, column)))


def test_no_table_of_postgresql_can_be_emptied_at_once(postgresql):
    with postgresql.database() as url:
        store = open_store(url)
        with pytest.raises(DatabaseError, match="append-only"), store.writing() as connection:
            connection.execute(text("TRUNCATE ledger"))
        store.close()


def test_a_viewed_store_reads_and_never_writes(world):
    view = view_store(world.where)
    assert get_campaign(view, world.campaign).id == world.campaign
    view.close()


def test_a_viewed_file_cannot_be_changed_and_is_never_made(tmp_path):
    with pytest.raises(Unavailable, match="no such database"):
        view_store(tmp_path / "lab.db")
    assert not (tmp_path / "lab.db").exists()
    open_store(tmp_path / "lab.db")
    statement = insert(methods).values(digest="x", source="y")
    view = view_store(tmp_path / "lab.db")
    with pytest.raises(Unavailable, match="readonly"), view.writing() as connection:
        connection.execute(statement)


def run_forked(work: Callable[[], object], size: int) -> None:
    """Run in several forked processes at once; all must end well."""
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=work) for _ in range(size)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * size
