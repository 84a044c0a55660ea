"""Digests of code: what a result depends on, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from aar_host.anchors import code
from aar_host.anchors.code import code_digest, files_of_method


def names(method: str) -> set[str]:
    return {path.stem for path in files_of_method(method)}


def test_a_method_depends_on_its_file_and_on_what_that_imports() -> None:
    assert names("naive") == {"naive", "base"}
    assert "ccs" not in names("self_distill")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's shape in which files may be changed."""
    for name, text in {
        "methods/base.py": "",
        "methods/one.py": "from aar_lab.methods.two import x\n",
        "methods/two.py": "x = 1\n",
        "methods/three.py": "",
        "learners/gpt.py": "",
        "rng.py": "",
        "types.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(code, "LAB", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ("methods/one.py", True),
        ("methods/two.py", True),
        ("methods/base.py", True),
        ("learners/gpt.py", True),
        ("types.py", True),
        ("methods/three.py", False),
    ],
)
def test_a_change_matters_where_the_method_reaches(lab: Path, changed: str, matters: bool) -> None:
    before = code_digest(["one"])
    assert code_digest(["one"]) == before
    with (lab / changed).open("a") as file:
        file.write("# another line\n")
    assert (code_digest(["one"]) != before) == matters
