"""Backup and restore: whole, private, of one moment; and archives that nobody should unpack."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from aar_host.cli import group
from aar_host.jobs.backup import DATABASE, FILES, HEAD, backup, restore
from aar_host.jobs.fsck import fsck
from aar_host.jobs.places import campaign_of, open_campaign_store
from aar_host.store.campaigns import get_campaign
from aar_host.store.engines import parse_url
from aar_host.store.ledger import events
from aar_lab.errors import BadInput, BadSettings, Conflict, Unavailable


@pytest.fixture
def elsewhere(record, postgresql, monkeypatch):
    """Where the record shall be restored: a new folder, and an empty database for PostgreSQL."""
    target = record.directory.with_name("again")
    if "://" not in record.where:
        yield target
        return
    with postgresql.database("template0") as url:
        yield target, lambda: monkeypatch.setenv("AAR_DATABASE_URL", url)


def go_there(elsewhere) -> Path:
    """Name the new database; returns the new folder."""
    if isinstance(elsewhere, Path):
        return elsewhere
    elsewhere[1]()
    return elsewhere[0]


def test_what_is_restored_is_the_campaign_and_is_proven(record, elsewhere, tmp_path):
    store, campaign = open_campaign_store(record.directory)
    before = events(store, campaign)
    store.close()
    head = backup(record.directory, tmp_path / "b.tar")
    assert head["campaign"] == campaign
    target = go_there(elsewhere)
    checks = restore(tmp_path / "b.tar", target)
    assert all(check.ok for check in checks), checks
    again, name = open_campaign_store(target)
    assert name == campaign
    assert events(again, campaign) == before
    again.close()
    kept = {path.relative_to(target): path for path in target.rglob("*") if path.is_file()}
    for path in record.directory.rglob("*"):
        inside = path.relative_to(record.directory)
        if path.is_file() and not inside.name.startswith(("store.db", "campaign.json")):
            assert kept[inside].read_bytes() == path.read_bytes()


def test_labels_stay_private(record, elsewhere, tmp_path):
    file = tmp_path / "b.tar"
    backup(record.directory, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    target = go_there(elsewhere)
    restore(file, target)
    for name in (".", "host", "vault", "vault/public.jsonl"):
        kept, was = target / name, record.directory / name
        assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE(was.stat().st_mode), name


def test_a_backup_while_somebody_writes_is_of_one_moment(record, elsewhere, tmp_path):
    store, campaign = open_campaign_store(record.directory)
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE campaigns SET charged = 99")
        backup(record.directory, tmp_path / "b.tar")
    store.close()
    target = go_there(elsewhere)
    assert all(check.ok for check in restore(tmp_path / "b.tar", target))
    again, _ = open_campaign_store(target)
    assert get_campaign(again, campaign).charged == 3
    again.close()


def test_a_tampered_record_is_told_when_it_is_restored(record, elsewhere, tmp_path):
    record.tamper("UPDATE campaigns SET charged = 0")
    backup(record.directory, tmp_path / "b.tar")
    wrong = [c.name for c in restore(tmp_path / "b.tar", go_there(elsewhere)) if not c.ok]
    assert wrong == ["campaign"]


def test_nothing_is_overwritten(kept_file, tmp_path):
    file, full = tmp_path / "b.tar", tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("precious")
    backup(kept_file.directory, file)
    with pytest.raises(Conflict, match="it exists"):
        backup(kept_file.directory, file)
    with pytest.raises(Conflict, match="not empty"):
        restore(file, full)
    with pytest.raises(BadInput, match="in the campaign's directory"):
        backup(kept_file.directory, kept_file.directory / "b.tar")
    assert (full / "mine").read_text() == "precious"


def test_a_database_in_use_is_never_filled(kept_database, tmp_path, monkeypatch):
    monkeypatch.setenv("AAR_DATABASE_URL", kept_database.where)
    backup(kept_database.directory, tmp_path / "b.tar")
    with pytest.raises(Conflict, match="tables"):
        restore(tmp_path / "b.tar", tmp_path / "again")
    monkeypatch.delenv("AAR_DATABASE_URL")
    with pytest.raises(BadSettings, match="of a PostgreSQL database"):
        restore(tmp_path / "b.tar", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    assert all(check.ok for check in _checked(kept_database, monkeypatch))


def _checked(record, monkeypatch):
    monkeypatch.setenv("AAR_DATABASE_URL", record.where)
    return fsck(record.directory)


def test_a_file_record_is_restored_beside_a_set_database(kept_file, tmp_path, monkeypatch):
    backup(kept_file.directory, tmp_path / "b.tar")
    monkeypatch.setenv("AAR_DATABASE_URL", "postgresql://nobody@nowhere/none")
    assert all(check.ok for check in restore(tmp_path / "b.tar", tmp_path / "again"))
    assert campaign_of(tmp_path / "again") == campaign_of(kept_file.directory)


def test_a_missing_tool_is_named(kept_database, tmp_path, monkeypatch):
    monkeypatch.setenv("AAR_DATABASE_URL", kept_database.where)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="pg_dump: it is not installed"):
        backup(kept_database.directory, tmp_path / "b.tar")
    assert list(tmp_path.iterdir()) == []


def test_the_tools_of_postgresql_never_tell_a_password(kept_database, tmp_path, monkeypatch):
    url = parse_url(kept_database.where).set(username="nobody", password="secret")
    note = json.loads((kept_database.directory / "campaign.json").read_text())
    other = tmp_path / "campaign"
    other.mkdir()
    note["database"] = url.render_as_string()
    (other / "campaign.json").write_text(json.dumps(note))
    monkeypatch.setenv("AAR_DATABASE_URL", url.render_as_string(hide_password=False))
    with pytest.raises(Unavailable, match="pg_dump of postgresql") as caught:
        backup(other, tmp_path / "b.tar")
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "b.tar").exists()


def archive(file: Path, *entries: tarfile.TarInfo | tuple[str, bytes]) -> Path:
    """A tar file of our own making."""
    with tarfile.open(file, "w") as made:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                made.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                made.addfile(info, io.BytesIO(entry[1]))
    return file


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def large(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = 1 << 50
    return info


HEAD_BYTES = b'{"format": 1, "campaign": "c", "database": "sqlite"}'
NOTE = (f"{FILES}/campaign.json", b'{"campaign": "c", "database": "store.db"}')
HOSTILE = {
    "upwards": [(f"{FILES}/../../escaped", b"x")],
    "absolute": [("/tmp/aar-escaped", b"x")],
    "a link": [special(f"{FILES}/link", tarfile.SYMTYPE, "/etc/passwd")],
    "a hard link": [special(f"{FILES}/link", tarfile.LNKTYPE, "/etc/passwd")],
    "a device": [special(f"{FILES}/device", tarfile.CHRTYPE)],
    "a pipe": [special(f"{FILES}/pipe", tarfile.FIFOTYPE)],
    "nothing": [],
    "no database": [(HEAD, HEAD_BYTES), NOTE],
    "a rotten database": [(HEAD, HEAD_BYTES), NOTE, (DATABASE, b"SQLite format 3\0" * 99)],
    "another campaign": [(HEAD, HEAD_BYTES.replace(b'"c"', b'"d"')), NOTE, (DATABASE, b"")],
    "another format": [(HEAD, HEAD_BYTES.replace(b"1", b"2")), NOTE, (DATABASE, b"")],
    "another database": [(HEAD, HEAD_BYTES.replace(b"sqlite", b"mysql")), NOTE, (DATABASE, b"")],
    "a head of rubbish": [(HEAD, b"[" * 5000), NOTE, (DATABASE, b"")],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_leaves_nothing_behind(name, tmp_path):
    file = archive(tmp_path / "b.tar", *HOSTILE[name])
    with pytest.raises((BadInput, Unavailable)):
        restore(file, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar"]
    assert not Path("/tmp/aar-escaped").exists()


def test_an_archive_larger_than_any_campaign_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / "b.tar"
    file.write_bytes(large("files/big").tobuf() + bytes(1024))
    with pytest.raises(BadInput, match="larger than any campaign"):
        restore(file, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar"]


def test_rubbish_is_no_archive(tmp_path):
    (tmp_path / "b.tar").write_bytes(b"rubbish" * 999)
    with pytest.raises(BadInput, match="not a backup"):
        restore(tmp_path / "b.tar", tmp_path / "again")
    with pytest.raises(BadInput, match="not a backup"):
        restore(tmp_path / "absent.tar", tmp_path / "again")


def test_the_commands_write_documents(kept_file, tmp_path):
    file, target = str(tmp_path / "b.tar"), str(tmp_path / "again")
    words = ["backup", str(kept_file.directory), file, "--json"]
    written = json.loads(CliRunner().invoke(group, words).stdout)
    assert written["bytes"] > 0
    assert written["campaign"] == campaign_of(kept_file.directory)
    result = CliRunner().invoke(group, ["restore", file, target, "--json"])
    assert json.loads(result.stdout)["ok"]
    assert result.exit_code == 0
