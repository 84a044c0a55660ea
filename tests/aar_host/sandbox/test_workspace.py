"""The host's side of a directory that a box has written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.sandbox import new_workspace, put_file, read_workspace_file, remove_workspace
from aar_host.sandbox.workspace import FIRST_UID, box_dir, claim_uid, disk_use
from aar_lab.errors import BadInput, Conflict, Unavailable

NAMES = st.lists(st.from_regex(r"[a-z][a-z.]{0,8}", fullmatch=True), min_size=1, max_size=4)


@given(NAMES, st.binary(max_size=3000))
def test_what_is_put_is_read(tmp_path_factory, names, content):
    workspace = tmp_path_factory.mktemp("w")
    relative = "/".join(names)
    put_file(workspace, relative, b"older")
    put_file(workspace, relative, content)
    assert read_workspace_file(workspace, relative, len(content)) == content
    assert os.listdir(workspace) == [names[0]]


@pytest.mark.parametrize("relative", ["", ".", "..", "a/../../b", "/etc/passwd", "a\0b"])
def test_paths_stay_inside(tmp_path, relative):
    with pytest.raises(BadInput):
        read_workspace_file(tmp_path, relative, 10)
    with pytest.raises(BadInput):
        put_file(tmp_path, relative, b"")


def _file_link(workspace: Path, secret: Path) -> None:
    (workspace / "x").symlink_to(secret / "labels")


def _folder_link(workspace: Path, secret: Path) -> None:
    (workspace / "folder").symlink_to(secret)


def _pipe(workspace: Path, secret: Path) -> None:
    os.mkfifo(workspace / "x")


def _folder(workspace: Path, secret: Path) -> None:
    (workspace / "x").mkdir()


def _huge(workspace: Path, secret: Path) -> None:
    os.truncate(os.open(workspace / "x", os.O_CREAT | os.O_WRONLY), 1 << 40)


@pytest.mark.parametrize(
    ("plant", "relative"),
    [
        (_file_link, "x"),
        (_folder_link, "folder/labels"),
        (_pipe, "x"),
        (_folder, "x"),
        (_huge, "x"),
        (lambda *_: None, "absent"),
    ],
)
def test_only_plain_files_are_read(tmp_path, plant, relative):
    workspace, secret = tmp_path / "w", tmp_path / "secret"
    workspace.mkdir()
    secret.mkdir()
    (secret / "labels").write_text("the truth")
    plant(workspace, secret)
    with pytest.raises(BadInput):
        read_workspace_file(workspace, relative, 1000)


def test_writing_replaces_a_link_and_follows_none(tmp_path):
    workspace, secret = tmp_path / "w", tmp_path / "secret"
    workspace.mkdir()
    secret.mkdir()
    (secret / "labels").write_text("the truth")
    _file_link(workspace, secret)
    _folder_link(workspace, secret)
    put_file(workspace, "x", b"new")
    with pytest.raises(BadInput):
        put_file(workspace, "folder/labels", b"new")
    assert (secret / "labels").read_text() == "the truth"
    assert read_workspace_file(workspace, "x", 3) == b"new"


def test_names_are_checked_and_unique(workspace):
    with pytest.raises(BadInput):
        new_workspace("../x")
    with pytest.raises(Conflict):
        new_workspace(workspace.name)
    assert workspace.parent == box_dir()


def test_another_users_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("AAR_BOX_DIR", str(tmp_path / "link"))
    with pytest.raises(Unavailable):
        box_dir()


def test_removal_copes_with_what_boxes_leave(workspace):
    here = os.open(workspace, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (workspace / "closed").mkdir()
    (workspace / "closed" / "file").write_text("x")
    (workspace / "closed").chmod(0)
    remove_workspace(workspace)
    remove_workspace(workspace)
    assert not workspace.exists()


@given(st.lists(st.integers(0, 20_000), max_size=5))
def test_disk_use_counts_every_entry(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("d")
    for number, size in enumerate(sizes):
        (folder / f"{number}").mkdir()
        (folder / f"{number}" / "x").write_bytes(os.urandom(size))
    used = disk_use(folder, 1 << 30)
    assert used >= sum(max(size, 1024) + 1024 for size in sizes)
    assert used <= sum(size + 4096 + 8192 for size in sizes)


def test_disk_use_gives_up_on_depth(tmp_path):
    deep = tmp_path.joinpath(*["d"] * 80)
    deep.mkdir(parents=True)
    assert disk_use(tmp_path, 1 << 30) > 1 << 30
    assert disk_use(tmp_path / "absent", 10) == 0


def test_uids_are_exclusive_and_come_back(tmp_path):
    registry, first, second = tmp_path / "r", tmp_path / "a", tmp_path / "b"
    if os.getuid() != 0:  # a plain user has one uid for all boxes, and is told so
        with pytest.raises(Unavailable):
            claim_uid(first, registry)
        return
    assert claim_uid(first, registry) == FIRST_UID
    assert claim_uid(second, registry) == FIRST_UID + 1
    first.rmdir()
    assert claim_uid(tmp_path / "c", registry) == FIRST_UID
    assert (tmp_path / "c").stat().st_uid == FIRST_UID
