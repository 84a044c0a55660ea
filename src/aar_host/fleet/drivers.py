"""What works at a seat, by the name of its driver; and whether it can work on this machine."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from aar_host.fleet.seating import DRIVERS, SeatPlan
from aar_host.researchers.base import Researcher
from aar_host.researchers.claude_code import ClaudeCode
from aar_host.researchers.codex import Codex
from aar_host.researchers.command import Command
from aar_host.researchers.human import Human
from aar_host.researchers.programs import CLAUDE_CODE, CODEX, Program
from aar_host.researchers.search import Search
from aar_host.researchers.sessions import Agent, Patience, Sessions
from aar_lab.errors import BadSettings

INSPECT_REMEDY = "Install the extra: pip install 'automated-alignment-researchers[inspect]'."


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


@dataclass(frozen=True)
class Readiness:
    """Whether a driver can run here; `missing` and `remedy` are empty where it can."""

    name: str
    ok: bool
    found: str
    missing: str = ""
    remedy: str = ""


def readiness() -> list[Readiness]:
    """Every driver, and what it lacks on this machine."""
    return [_READY[name](name) if name in _READY else _plain(name) for name in DRIVERS]


def _plain(name: str) -> Readiness:
    return Readiness(name, True, "needs nothing beside a sandbox")


def _of_program(program: Program) -> Callable[[str], Readiness]:
    def look(name: str) -> Readiness:
        try:
            return Readiness(name, True, str(program.find()))
        except BadSettings as error:
            return Readiness(name, False, "", f"{error.value}: {error.fault}", error.remedy)

    return look


def _of_inspect(name: str) -> Readiness:
    if find_spec("inspect_ai") is None:
        return Readiness(name, False, "", "inspect_ai is not installed", INSPECT_REMEDY)
    return Readiness(name, True, "inspect_ai is installed")


_READY: Mapping[str, Callable[[str], Readiness]] = {
    "inspect": _of_inspect,
    "claude-code": _of_program(CLAUDE_CODE),
    "codex": _of_program(CODEX),
}
