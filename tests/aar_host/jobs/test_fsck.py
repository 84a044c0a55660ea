"""`fsck`: quiet on honest records, and each kind of tampering found by the check it belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from aar_host.cli import group
from aar_host.jobs.fsck import alike, fsck
from aar_host.store import open_store
from aar_host.store.engines import parse_url
from aar_lab.errors import BadInput, BadSettings, Corrupt, Unavailable

NAMES = {
    "hash chain",
    "references",
    "campaign",
    "actors",
    "submissions",
    "statuses",
    "jobs",
    "predictions",
    "scores",
    "findings",
    "reviews",
    "recomputed scores",
}


@dataclass(frozen=True)
class Case:
    """Statements that change a record, and the checks that must find it: these and no others."""

    checks: str
    words: str
    statements: tuple[str, ...]


# $S is scored, $F has failed, $W waits; the rest differs between the databases.
CASES = {
    "an entry is rewritten": Case(
        "hash chain", "ledger entry 2", ("UPDATE ledger SET time = time + 1 WHERE seq = 2",)
    ),
    "an entry is cut out": Case(
        "hash chain, actors",
        "has no ledger entry",
        ("DELETE FROM ledger WHERE kind = 'token_issued'",),
    ),
    "the newest entry is cut off": Case(
        "findings",
        "has no ledger entry",
        ("DELETE FROM ledger WHERE kind = 'finding_posted'",),
    ),
    "a policy is changed": Case(
        "campaign", "its policy", ("UPDATE campaigns SET policy = 'EXACT'",)
    ),
    "a cap is raised": Case(
        "campaign",
        "its config",
        ("""UPDATE campaigns SET config = '{"max_submissions":999,"seeds":5}'""",),
    ),
    "a state is set back": Case(
        "campaign", "its state", ("UPDATE campaigns SET state = 'frozen'",)
    ),
    "a charge is taken back": Case(
        "campaign", "its charged", ("UPDATE campaigns SET charged = charged - 1",)
    ),
    "a submission is charged twice": Case(
        "campaign", "its charged", ("UPDATE campaigns SET charged = charged + 1",)
    ),
    "a role is raised": Case("actors", "its role", ("UPDATE actors SET role = 'operator'",)),
    "a card is rewritten": Case(
        "submissions",
        "its card",
        ("""UPDATE submissions SET card = '{"title":"better"}' WHERE id = '$S'""",),
    ),
    "a method is exchanged": Case(
        "submissions", "its content", ("UPDATE methods SET source = 'other' WHERE source = 'one'",)
    ),
    "a submission is given to another's method": Case(
        "submissions",
        "its content",
        ("UPDATE submissions SET content = 'x' WHERE id = '$W'",),
    ),
    "a submission is back-dated": Case(
        "submissions", "its time", ("UPDATE submissions SET created = 1.0 WHERE id = '$S'",)
    ),
    "a lineage is changed": Case(
        "submissions", "its builds_on", ("UPDATE submissions SET builds_on = '[]' WHERE id = '$F'",)
    ),
    "a submission is deleted": Case(
        "submissions, jobs",
        "has no row",
        ("DELETE FROM submissions WHERE id = '$F'", "DELETE FROM jobs WHERE submission = '$F'"),
    ),
    "a failure is hidden": Case(
        "statuses",
        "entries say crashed",
        ("UPDATE submissions SET status = 'done' WHERE id = '$F'",),
    ),
    "a job's end is changed": Case(
        "jobs",
        "its entry says crashed",
        ("UPDATE jobs SET status = 'queued' WHERE status = 'crashed'",),
    ),
    "predictions are exchanged": Case(
        "predictions, recomputed scores",
        "does not follow",
        ("UPDATE predictions SET probs = $Z",),
    ),
    "a recipe is exchanged": Case(
        "predictions, recomputed scores",
        "its recipe",
        ("""UPDATE predictions SET recipe = '{"threshold":0.95}'""",),
    ),
    "predictions are lost": Case(
        "predictions, recomputed scores",
        "has no row",
        ("DELETE FROM predictions WHERE seed_index = 0",),
    ),
    "a score is rewritten": Case(
        "scores, recomputed scores",
        "does not follow",
        ("""UPDATE scores SET body = replace($B, '"n_items":', '"n_items":1')$J""",),
    ),
    "a score is removed": Case("scores", "has no row", ("DELETE FROM scores",)),
    "a score is invented": Case(
        "statuses, scores, recomputed scores",
        "has no ledger entry",
        (
            "INSERT INTO scores SELECT '$W', tier, body FROM scores",
            "UPDATE submissions SET status = 'done' WHERE id = '$W'",
        ),
    ),
    "a finding is rewritten": Case(
        "findings", "its body", ("UPDATE findings SET body = 'something else'",)
    ),
    "a finding is given to another": Case(
        "references, findings", "its actor", ("UPDATE findings SET actor = 'nobody'",)
    ),
    "a job belongs to nothing": Case(
        "references",
        "refer to no submissions",
        ("UPDATE jobs SET submission = 'nothing' WHERE submission = '$W'",),
    ),
    "a row is no longer readable": Case(
        "submissions", "cannot be read", ("UPDATE submissions SET kind = 'odd' WHERE id = '$W'",)
    ),
}

DIALECT = {
    False: {"$B": "body", "$J": "", "$Z": "zeroblob(length(probs))"},
    True: {
        "$B": "body::text",
        "$J": "::json",
        "$Z": "decode(repeat('00', length(probs)), 'hex')",
    },
}


@pytest.mark.parametrize("name", CASES)
def test_tampering_is_found_and_by_the_right_check(record, name):
    case = CASES[name]
    names = {"$S": record.scored, "$F": record.failed, "$W": record.waiting}
    names |= DIALECT["://" in record.where]
    for statement in case.statements:
        for short, long in names.items():
            statement = statement.replace(short, long)
        record.tamper(statement)
    found = {check.name: check for check in fsck(record.directory)}
    wrong = {check for check in found if not found[check].ok}
    assert set(case.checks.split(", ")) <= wrong, found
    assert case.words in " ".join(found[check].found for check in wrong)
    assert all(found[check].remedy for check in wrong)


def test_an_honest_record_is_proven_with_its_counts(record):
    found = {check.name: check for check in fsck(record.directory)}
    assert found.keys() == NAMES
    assert all(check.ok for check in found.values()), found
    assert found["campaign"].found == "open, 3 submissions charged"
    assert found["jobs"].found == "15 jobs, 6 finished"
    assert found["recomputed scores"].found == "1 scores follow from their predictions"


def test_changed_labels_are_found(record):
    path = record.directory / "vault" / "public.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**row, "y": 1 - row["y"]}) + "\n" for row in rows))
    wrong = [check for check in fsck(record.directory) if not check.ok]
    assert [check.name for check in wrong] == ["recomputed scores"]


def test_it_can_look_while_somebody_writes_and_changes_nothing(record):
    store = open_store(record.where)
    with store.writing() as connection:
        before = (record.directory / "store.db").stat() if "://" not in record.where else None
        connection.exec_driver_sql("UPDATE campaigns SET charged = 99")
        assert all(check.ok for check in fsck(record.directory))
        if before is not None:
            assert (record.directory / "store.db").stat().st_mtime_ns == before.st_mtime_ns
    store.close()


def test_the_command_says_it_by_its_exit_code(record):
    words = ["fsck", str(record.directory)]
    honest = CliRunner().invoke(group, [*words, "--json"])
    assert honest.exit_code == 0
    document = json.loads(honest.stdout)
    assert document["ok"]
    assert {"name", "ok", "found", "remedy"} == set(document["checks"][0])
    record.tamper("UPDATE campaigns SET charged = 0")
    assert CliRunner().invoke(group, words).exit_code == 1
    assert not json.loads(CliRunner().invoke(group, [*words, "--json"]).stdout)["ok"]


def test_a_directory_without_a_campaign_is_a_typed_error(tmp_path):
    with pytest.raises(BadInput, match="it holds no campaign"):
        fsck(tmp_path)
    (tmp_path / "campaign.json").write_text("[1]")
    with pytest.raises(Corrupt, match="names no campaign"):
        fsck(tmp_path)
    (tmp_path / "campaign.json").write_text('{"campaign": "c", "database": "store.db"}')
    with pytest.raises(Unavailable, match="no such database"):
        fsck(tmp_path)
    assert not (tmp_path / "store.db").exists()


def test_another_database_than_the_campaigns_is_refused(tmp_path, monkeypatch):
    note = {"campaign": "c", "database": "postgresql+psycopg://u:***@one/db"}
    (tmp_path / "campaign.json").write_text(json.dumps(note))
    for url in ("", "postgresql://u:secret@two/db"):
        monkeypatch.setenv("AAR_DATABASE_URL", url)
        with pytest.raises(BadSettings, match="is stored in") as caught:
            fsck(tmp_path)
        assert "secret" not in str(caught.value)
    assert parse_url("postgresql://u:secret@one/db").render_as_string() == note["database"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": [1.0, None]}, {"a": [1.0 + 1e-12, None]}, True),
        ({"a": 1.0}, {"a": 1.001}, False),
        ({"a": 1.0}, {"a": None}, False),
        ({"a": 1}, {"b": 1}, False),
        ([1.0], [1.0, 1.0], False),
        ("x", "x", True),
    ],
)
def test_numbers_are_alike_within_the_last_bits(one, other, same):
    assert alike(one, other) is same
