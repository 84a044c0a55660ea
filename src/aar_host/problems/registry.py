"""Problems by name, or from a file of one's own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from aar_host.problems.base import ProblemSource
from aar_host.problems.chat_mini import ChatMini
from aar_lab.errors import BadSource, UnknownName

# Called with seed=, the world, and strong=, the strong student, or without either.
Kind = Callable[..., ProblemSource]

PROBLEMS: dict[str, Kind] = {ChatMini.name: ChatMini}


def get_problem(name: str, world: int | None = None, strong: str | None = None) -> ProblemSource:
    """The problem of that name, or the one in that file.

    Args:
        name: registered, or the path of a Python file that defines `PROBLEM`, a class like those
            in this package. The file is run with the host's rights: it must be one's own.
        world: the world seed; None: the default world.
        strong: the strong student; None: the usual one.

    Raises:
        UnknownName: there is no such problem or student.
        BadSource: the file cannot be run or defines no `PROBLEM`.
    """
    kind = _from_file(Path(name)) if name.endswith(".py") else PROBLEMS.get(name)
    if kind is None:
        known = ", ".join(PROBLEMS)
        raise UnknownName(name, "no such problem", f"Known are: {known}; or give a .py file.")
    chosen = {} if world is None else {"seed": world}
    source = kind(**chosen)
    if strong is None:
        return source
    if strong not in source.public().students:
        known = ", ".join(source.public().students)
        raise UnknownName(strong, f"{name} has no such student", f"Known are: {known}.")
    return kind(**chosen, strong=strong)


def _from_file(path: Path) -> Kind:
    module_name = f"aar_problem_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.exists():
        raise BadSource(path, "there is no such file", "Give the path of a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    kind = getattr(module, "PROBLEM", None)
    if not callable(kind):
        raise BadSource(path, "it defines no PROBLEM", "Set PROBLEM to your class.")
    found: Kind = kind
    return found
