"""Folders come whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from aar_host.folders import held, put
from aar_lab.errors import Conflict


def fill(draft: Path) -> None:
    (draft / "a").write_text("one")


def test_a_folder_is_put_in_place(tmp_path: Path) -> None:
    put(tmp_path / "above" / "x", fill)
    assert (tmp_path / "above" / "x" / "a").read_text() == "one"
    assert [path.name for path in (tmp_path / "above").iterdir()] == ["x"]
    assert (tmp_path / "above" / "x").stat().st_mode & 0o777 == 0o700


def test_whoever_comes_second_throws_the_same_content_away(tmp_path: Path) -> None:
    def slow(draft: Path) -> None:
        put(tmp_path / "x", fill)
        (draft / "a").write_text("two")

    put(tmp_path / "x", slow)
    assert (tmp_path / "x" / "a").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("fault", [OSError("disk full"), KeyboardInterrupt(), ValueError("bad")])
def test_what_is_interrupted_leaves_nothing(tmp_path: Path, fault: BaseException) -> None:
    def broken(draft: Path) -> None:
        fill(draft)
        raise fault

    with pytest.raises(type(fault)):
        put(tmp_path / "x", broken)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_held_by_one_and_free_after(tmp_path: Path) -> None:
    with held(tmp_path / "x"):
        with pytest.raises(Conflict, match="at work"), held(tmp_path / "x"):
            pass
    with held(tmp_path / "x"):
        pass
