"""What works at a seat, by the name of its driver."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from aar_host.fleet.readiness import INSPECT_REMEDY
from aar_host.fleet.seating import SeatPlan
from aar_host.researchers.base import Researcher
from aar_host.researchers.claude_code import ClaudeCode
from aar_host.researchers.codex import Codex
from aar_host.researchers.command import Command
from aar_host.researchers.human import Human
from aar_host.researchers.search import Search
from aar_host.researchers.sessions import Agent, Patience, Sessions
from aar_lab.errors import BadSettings


def driver_of(seat: SeatPlan, logs: Path) -> Researcher:
    """The researcher for a seat.

    Args:
        logs: folder for what its driver keeps of its sessions.

    Raises:
        BadSettings: what the driver needs is missing here.
    """
    return _MAKERS[seat.driver](seat, logs)


def _inspect(seat: SeatPlan, logs: Path) -> Researcher:
    if find_spec("inspect_ai") is None:
        raise BadSettings("inspect", "inspect_ai is not installed", INSPECT_REMEDY)
    agent: Agent = pkgutil.resolve_name("aar_host.researchers.inspect.driver:Inspect")(logs)
    return Sessions(agent)


def _command(seat: SeatPlan, logs: Path) -> Researcher:
    return Sessions(Command(seat.command), Patience(idle_turns=0))


_MAKERS: Mapping[str, Callable[[SeatPlan, Path], Researcher]] = {
    "search": lambda seat, logs: Search(),
    "inspect": _inspect,
    "claude-code": lambda seat, logs: Sessions(ClaudeCode()),
    "codex": lambda seat, logs: Sessions(Codex()),
    "command": _command,
    "human": lambda seat, logs: Human(),
}
