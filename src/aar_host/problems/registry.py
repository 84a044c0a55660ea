"""Problems by name."""

from __future__ import annotations

from collections.abc import Callable

from aar_host.problems.base import ProblemSource
from aar_host.problems.chat_mini import ChatMini
from aar_lab.errors import UnknownName

PROBLEMS: dict[str, Callable[[], ProblemSource]] = {ChatMini.name: ChatMini}


def get_problem(name: str) -> ProblemSource:
    """The problem of that name, in its default world; `UnknownName` lists those that exist."""
    if name not in PROBLEMS:
        raise UnknownName(name, "no such problem", f"Known are: {', '.join(PROBLEMS)}.")
    return PROBLEMS[name]()
