"""Migrations: the same on both databases, with rows, under a lock."""

from __future__ import annotations

import json
import multiprocessing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from aar_host.store import Tier, open_store, view_store
from aar_host.store.engines import make_engine, parse_url
from aar_host.store.findings import list_findings
from aar_host.store.ledger import events, verify_ledger
from aar_host.store.migrating import migrate
from aar_host.store.predictions import predictions_of
from aar_host.store.schema import metadata
from aar_host.store.scores import leaderboard
from aar_host.store.submissions import get_submission
from aar_lab.digest import digest_json
from aar_lab.errors import Conflict, Corrupt

CAMPAIGN, ACTOR, SUBMISSION, JOB = "c" * 12, "a" * 12, "5" * 12, "7" * 12
CARD = {"title": "title", "idea": "idea", "family": "other"}
ROWS = (
    f"INSERT INTO campaigns VALUES ('{CAMPAIGN}', 'chat-mini', '1', 'd', 'SEALED', 'a1', "
    """'{"max_submissions":3,"seeds":1}', 'open', 1, 1000.0)""",
    f"INSERT INTO actors VALUES ('{ACTOR}', '{CAMPAIGN}', 'ada', 'researcher', 'h', 2000.0, false)",
    "INSERT INTO methods VALUES ('m', 'x = 1')",
    "INSERT INTO submissions (id, campaign, actor, method_digest, card, builds_on, status, created)"
    f" VALUES ('{SUBMISSION}', '{CAMPAIGN}', '{ACTOR}', 'm', '{json.dumps(CARD)}', '[]', 'done', "
    "1001.0)",
    "INSERT INTO jobs (id, campaign, submission, tier, seed_index, status, attempts, queued, log) "
    f"VALUES ('{JOB}', '{CAMPAIGN}', '{SUBMISSION}', 'public', 0, 'done', 0, 1001.0, '')",
    f"""INSERT INTO scores VALUES ('{SUBMISSION}', 'public', '{{"pgr":0.5}}')""",
    "INSERT INTO findings (id, campaign, actor, seq, kind, body, cites, created) VALUES "
    f"""('f', '{CAMPAIGN}', '{ACTOR}', 1, 'insight', 'body', '["{SUBMISSION}"]', 1002.0)""",
)


@pytest.fixture
def empty(request, tmp_path, postgresql):
    """A database without a table."""
    if request.param == "sqlite":
        yield str(tmp_path / "old.db")
        return
    with postgresql.database("template0") as url:
        yield url


on_both = pytest.mark.parametrize("empty", ["sqlite", "postgresql"], indirect=True)


def entry() -> dict[str, object]:
    """The first entry of a ledger."""
    body: dict[str, object] = {"seq": 1, "time": 1000.0, "campaign": CAMPAIGN, "actor": None}
    return body | {"kind": "campaign_created", "payload": "{}", "previous": "0" * 64}


def old_database(where: str, revision: str, *statements: str):
    """A database of an old schema, filled by statements of its time."""
    engine = make_engine(parse_url(where))
    migrate(engine, revision)
    body = entry()
    names = ", ".join(body)
    values = ", ".join(f":{name}" for name in body)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        insert = f"INSERT INTO ledger ({names}, hash) VALUES ({values}, :hash)"
        connection.execute(text(insert), body | {"hash": digest_json(body)})
    engine.dispose()


def test_the_migrations_make_exactly_the_declared_schema(world):
    with world.store.reading() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_both_databases_have_the_same_tables_columns_and_keys(postgresql, tmp_path):
    with postgresql.database() as url:
        stores = [open_store(url), open_store(tmp_path / "lab.db")]
        layouts = [_layout(store) for store in stores]
        stores[0].close()
    assert layouts[0] == layouts[1]


def _layout(store) -> dict[str, object]:
    with store.reading() as connection:
        found = inspect(connection)
        return {
            table: (
                [(column["name"], column["nullable"]) for column in found.get_columns(table)],
                found.get_pk_constraint(table)["constrained_columns"],
                sorted(
                    map(str, (key["constrained_columns"] for key in found.get_foreign_keys(table)))
                ),
                sorted(map(str, (u["column_names"] for u in found.get_unique_constraints(table)))),
            )
            for table in sorted(found.get_table_names())
        }


@on_both
def test_rows_of_the_second_schema_come_through(empty):
    old_database(empty, "0002", *ROWS)
    store = open_store(empty)
    found = get_submission(store, SUBMISSION)
    assert (found.kind, found.content, found.method_digest) == ("method", "m", "m")
    assert (found.card, found.author, found.answers_as) == (CARD, "ada", None)
    assert [line.submission for line in leaderboard(store, CAMPAIGN)] == [SUBMISSION]
    assert [line.cites for line in list_findings(store, CAMPAIGN)] == [[SUBMISSION]]
    with store.reading() as connection:
        jobs = connection.execute(text("SELECT id, submission FROM jobs")).all()
    assert jobs == [(JOB, SUBMISSION)]
    assert [event.seq for event in events(store, CAMPAIGN)] == [1]
    verify_ledger(store)
    store.close()


@on_both
def test_a_threshold_of_the_first_schema_becomes_a_recipe(empty):
    probs = "x'000000000000E03F'" if "://" not in empty else r"'\x000000000000E03F'"
    stored = (
        f"INSERT INTO predictions VALUES ('{SUBMISSION}', 'public', 0, '{digest_json(['x'])}', "
        f"{probs}, 0.4)"
    )
    old_database(empty, "0001", *ROWS, stored)
    store = open_store(empty)
    (found,) = predictions_of(store, SUBMISSION, Tier.PUBLIC, ["x"]).values()
    assert (found.recipe.threshold, found.predictions.probs.tolist()) == (0.4, [0.5])
    store.close()


@on_both
def test_triggers_stand_after_a_migration_with_rows(empty):
    old_database(empty, "0002", *ROWS)
    store = open_store(empty)
    with store.reading() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    with pytest.raises(Exception, match="append-only"), store.writing() as connection:
        connection.execute(text("DELETE FROM scores"))
    store.close()


def test_a_row_that_refers_to_nothing_stops_the_migration_and_nothing_is_changed(tmp_path):
    path = str(tmp_path / "old.db")
    old_database(path, "0002")
    engine = make_engine(parse_url(path))
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(ROWS[1])
        connection.exec_driver_sql("BEGIN")
    with pytest.raises(Corrupt, match="table actors"):
        open_store(path)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert found == "0002"


@on_both
def test_an_old_database_is_not_viewed_and_left_as_it_is(empty):
    old_database(empty, "0002")
    with pytest.raises(Conflict, match="its schema is 0002"):
        view_store(empty)


def _open(where: str) -> None:
    with open_store(where).reading() as connection:
        connection.execute(text("SELECT count(*) FROM jobs"))


@on_both
def test_several_processes_may_open_a_new_database_at_once(empty):
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=_open, args=(empty,)) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 6
