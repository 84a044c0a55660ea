"""What works at a seat, by the name of its driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from aar_host.fleet.seating import SeatPlan
from aar_host.researchers.base import Researcher
from aar_host.researchers.claude_code import ClaudeCode
from aar_host.researchers.codex import Codex
from aar_host.researchers.command import Command
from aar_host.researchers.human import Human
from aar_host.researchers.inspect import Inspect, check_installed
from aar_host.researchers.search import Search
from aar_host.researchers.sessions import Patience, Sessions


def driver_of(seat: SeatPlan, folder: Path) -> Researcher:
    """The researcher for a seat.

    Args:
        folder: of the campaign, for what a driver keeps of its sessions.

    Raises:
        BadSettings: what the driver needs is missing here.
    """
    return _MAKERS[seat.driver](seat, folder)


def _inspect(seat: SeatPlan, folder: Path) -> Researcher:
    check_installed()
    return Sessions(Inspect(folder))


def _command(seat: SeatPlan, folder: Path) -> Researcher:
    return Sessions(Command(seat.command), Patience(idle_turns=0))


_MAKERS: Mapping[str, Callable[[SeatPlan, Path], Researcher]] = {
    "search": lambda seat, folder: Search(),
    "inspect": _inspect,
    "claude-code": lambda seat, folder: Sessions(ClaudeCode()),
    "codex": lambda seat, folder: Sessions(Codex()),
    "command": _command,
    "human": lambda seat, folder: Human(),
}
