"""Workspaces seen from outside: what changes is told, whatever the box makes of its files."""

from __future__ import annotations

import hashlib
import os

import pytest
from tests.aar_host.store.conftest import World

from aar_host.fleet.files import (
    CHANGED,
    Bounds,
    Change,
    FileWatcher,
    Look,
    record_look,
    watching_files,
)
from aar_host.store.ledger import events


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def box(tmp_path):
    """A workspace with a file in it."""
    folder = tmp_path / "box"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.py").write_bytes(b"1")
    return folder


def test_files_are_created_changed_and_deleted(box):
    watcher, file = FileWatcher(box), box / "deep" / "one.py"
    assert watcher.poll() == Look((Change("created", "deep/one.py", 1, sha(b"1")),))
    assert watcher.poll() == Look()
    file.write_bytes(b"22")
    assert watcher.poll() == Look((Change("changed", "deep/one.py", 2, sha(b"22")),))
    file.unlink()
    assert watcher.poll() == Look((Change("deleted", "deep/one.py", 2, None),))


def test_times_set_back_hide_nothing_and_touching_tells_nothing(box):
    watcher, file = FileWatcher(box), box / "deep" / "one.py"
    watcher.poll()
    before = file.stat()
    os.utime(file)
    assert watcher.poll() == Look()
    file.write_bytes(b"2")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [change.kind for change in watcher.poll().changes] == ["changed"]


def test_links_pipes_and_sockets_are_neither_followed_nor_opened(box, tmp_path):
    (tmp_path / "secret").write_bytes(b"label")
    (box / "link").symlink_to(tmp_path / "secret")
    (box / "folder").symlink_to(tmp_path)
    (box / "loop").symlink_to(box)
    os.mkfifo(box / "pipe")
    assert [change.path for change in FileWatcher(box).poll().changes] == ["deep/one.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root opens every folder")
def test_a_closed_folder_hides_nothing_beside_it(box):
    (box / "after.py").write_bytes(b"2")
    (box / "deep").chmod(0)
    look = FileWatcher(box).poll()
    assert [change.path for change in look.changes] == ["after.py"]
    assert not look.whole


def test_a_workspace_that_is_a_link_is_not_followed(box, tmp_path):
    (tmp_path / "other").symlink_to(box)
    with pytest.raises(OSError, match="other"):
        FileWatcher(tmp_path / "other").poll()


def test_a_workspace_that_is_gone_is_empty(tmp_path):
    assert FileWatcher(tmp_path / "none").poll() == Look()


@pytest.mark.parametrize("name", [b"\x1b[2Jx", b"\xff\xfe", "\u202etxt".encode(), b"a\nb", b"<b>"])
def test_hostile_names_are_harmless(tmp_path, name):
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
        pass
    (change,) = FileWatcher(tmp_path).poll().changes
    assert change.path.isprintable()
    assert "<" not in change.path


def test_long_names_are_cut(tmp_path):
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    (folder / ("y" * 200)).write_bytes(b"")
    assert len(FileWatcher(tmp_path).poll().changes[0].path) == 200


def test_big_files_are_told_without_their_content(box):
    with open(box / "big", "wb") as file:
        file.truncate(1 << 40)
    watcher = FileWatcher(box, Bounds(digest_bytes=10))
    assert watcher.poll().changes[0] == Change("created", "big", 1 << 40, None)
    with open(box / "big", "r+b") as file:
        file.write(b"x")
    assert watcher.poll().changes == (Change("changed", "big", 1 << 40, None),)


def test_one_look_reads_only_so_much(tmp_path):
    for n in range(4):
        (tmp_path / str(n)).write_bytes(b"x" * 10)
    changes = FileWatcher(tmp_path, Bounds(look_bytes=25)).poll().changes
    assert sum(change.sha256 is not None for change in changes) == 2


def test_floods_of_files_are_counted_and_never_called_deleted(tmp_path):
    for n in range(30):
        (tmp_path / str(n)).write_bytes(b"x")
    watcher = FileWatcher(tmp_path, Bounds(files=20, told=5))
    look = watcher.poll()
    assert (len(look.changes), look.more, look.whole) == (5, 15, False)
    (tmp_path / "30").write_bytes(b"x")
    assert all(change.kind == "created" for change in watcher.poll().changes)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_floods_of_what_is_no_file_end_the_look(box, kind):
    make = {"link": lambda path: os.symlink("x", path), "folder": os.mkdir, "pipe": os.mkfifo}
    for n in range(30):
        make[kind](box / str(n))
    assert not FileWatcher(box, Bounds(entries=20)).poll().whole
    assert FileWatcher(box, Bounds(entries=40)).poll().whole


def test_deep_folders_end_the_look(tmp_path):
    folder = tmp_path
    for _ in range(20):
        folder = folder / "d"
        folder.mkdir()
    (folder / "f").write_bytes(b"")
    assert FileWatcher(tmp_path).poll() == Look(whole=False)


def test_changes_are_recorded_as_one_event(box, tmp_path):
    world = World(str(tmp_path / "lab.db"))
    watcher = FileWatcher(box)
    record_look(world.store, world.campaign, "ada", watcher.poll())
    record_look(world.store, world.campaign, "ada", watcher.poll())
    told = [e.payload for e in events(world.store, world.campaign) if e.kind == CHANGED]
    change = {"kind": "created", "path": "deep/one.py", "bytes": 1, "sha256": sha(b"1")}
    assert told == [{"researcher": "ada", "changes": [change], "more": 0, "whole": True}]


def test_the_end_of_a_watch_tells_what_was_new(box, tmp_path):
    world = World(str(tmp_path / "lab.db"))
    with watching_files(world.store, world.campaign, {"ada": box, "bob": tmp_path / "none"}):
        (box / "late").write_bytes(b"")
    told = [e.payload for e in events(world.store, world.campaign) if e.kind == CHANGED]
    paths = [change["path"] for payload in told for change in payload["changes"]]
    assert paths == ["deep/one.py", "late"]
