"""Problems by name, or from a file of one's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from aar_host.problems.base import ProblemSource
from aar_host.problems.chat_mini import ChatMini
from aar_host.problems.code_mini import CodeMini
from aar_host.problems.math_mini import MathMini
from aar_host.problems.own import Kind, load_kind, make_source
from aar_lab.errors import UnknownName

PROBLEMS: dict[str, Kind] = {kind.name: kind for kind in (ChatMini, MathMini, CodeMini)}


def get_problem(name: str, world: int | None = None, strong: str | None = None) -> ProblemSource:
    """The problem of that name, or the one in that file.

    Args:
        name: registered, or the path of a Python file that defines `PROBLEM`, a class like those
            in this package. The file is run with the host's rights: it must be one's own.
        world: the world seed; None: the default world.
        strong: the strong student; None: the usual one.

    Raises:
        UnknownName: there is no such problem or student.
        BadSource: the file cannot be run, or `PROBLEM` is no such class.
    """
    if name.endswith(".py"):
        kind: Kind = partial(make_source, Path(name), load_kind(Path(name)))
    elif name in PROBLEMS:
        kind = PROBLEMS[name]
    else:
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
