"""Loading a problem from a file: faults by file and line, interrupts untouched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.own_problem import derived, small

from aar_host.problems.base import Draw, ProblemSource
from aar_host.problems.basemodels import code_of_problems
from aar_host.problems.own import OwnCode
from aar_host.problems.registry import get_problem
from aar_lab.errors import BadSource, UnknownName


def write(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return str(path)


def test_a_file_is_a_problem(tmp_path: Path) -> None:
    source = get_problem(write(tmp_path, small()))
    assert (source.name, source.strong) == ("brackets", "M")
    chosen = get_problem(write(tmp_path, small()), world=3, strong="S")
    assert (chosen.public().version, chosen.strong) == ("1-world3", "S")


def test_an_unknown_student_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="M"):
        get_problem(write(tmp_path, small()), strong="XL")


def test_a_changed_file_is_another_problem(tmp_path: Path) -> None:
    before = code_of_problems(get_problem(write(tmp_path, small())))
    assert code_of_problems(get_problem(write(tmp_path, small()))) == before
    assert code_of_problems(get_problem(write(tmp_path, small() + "\n# more\n"))) != before


def test_two_files_of_one_name_stay_apart(tmp_path: Path) -> None:
    sources = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        sources.append(get_problem(write(folder, small() + f"\n# {folder.name}\n")))
    first, second = map(code_of_problems, sources)
    assert first != second


def test_nothing_is_written_beside_the_file(tmp_path: Path) -> None:
    get_problem(write(tmp_path, small()))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\ny = = 2\n", "mine.py, line 2: SyntaxError"),
        ("x = 1\n\nimport no_such_module\n", "mine.py, line 3: ModuleNotFoundError"),
        ("def f():\n    return 1 / 0\n\nf()\n", "mine.py, line 2: ZeroDivisionError"),
        ("import sys\nsys.exit('bye')\n", "mine.py, line 2: SystemExit: bye"),
        ("from aar_lab.learners.base import Plan\nPlan(epochs=0)\n", "line 2: BadInput: epochs 0"),
        ("\0", "mine.py: SyntaxError"),
        ("x = '\xe9'\n".encode("latin-1"), "mine.py, line 1: SyntaxError"),
        ("x = 1\n", "no class PROBLEM"),
        ("PROBLEM = 3\n", "no class PROBLEM"),
        ("class PROBLEM:\n    pass\n", "it has no name, sizes"),
        ("class PROBLEM:\n    def __init__(self):\n        self.x = y\n", "line 3: NameError"),
        (small().replace("def documents", "def papers"), "documents"),
        (small().replace("shapes = {", "shapes = 1, {"), "mine.py: TypeError"),
    ],
)
def test_a_faulty_file_is_told_by_its_line(text: str | bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadSource) as caught:
        get_problem(str(path))
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["absent.py", "folder.py"])
def test_what_cannot_be_read_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(BadSource, match="cannot be read"):
        get_problem(str(tmp_path / name))


def test_an_interrupt_passes_through(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        get_problem(write(tmp_path, "raise KeyboardInterrupt\n"))
    with pytest.raises(KeyboardInterrupt), OwnCode(tmp_path):
        raise KeyboardInterrupt


def test_a_fault_outside_the_file_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"mine\.py: KeyError"), OwnCode(tmp_path / "mine.py"):
        raise KeyError("elsewhere")


@pytest.mark.parametrize(
    ("method", "use"),
    [
        ("def draw(self, what):\n    return {}['a']", lambda s: s.draw(Draw(1, "test", 2, 1))),
        ("def corpus(self, student, chunk):\n    return {}['a']", lambda s: s.corpus("M", 0)),
    ],
)
def test_a_fault_of_the_file_is_told_whenever_it_is_used(
    tmp_path: Path, method: str, use: Callable[[ProblemSource], object]
) -> None:
    source = get_problem(write(tmp_path, derived(method)))
    with pytest.raises(BadSource, match=r"mine\.py, line \d+: KeyError: 'a'"):
        use(source)
