"""Which drivers can work on this machine, and what the others lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aar_host.fleet.seating import DRIVERS
from aar_host.researchers.inspect import check_installed
from aar_host.researchers.programs import CLAUDE_CODE, CODEX
from aar_lab.errors import BadSettings


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


def _asked(find: Callable[[], str]) -> Callable[[str], Readiness]:
    """What `find` finds, or what it says is missing."""

    def look(name: str) -> Readiness:
        try:
            return Readiness(name, True, find())
        except BadSettings as error:
            return Readiness(name, False, "", f"{error.value}: {error.fault}", error.remedy)

    return look


def _packages() -> str:
    check_installed()
    return "inspect_ai is installed"


_READY: Mapping[str, Callable[[str], Readiness]] = {
    "inspect": _asked(_packages),
    "claude-code": _asked(lambda: str(CLAUDE_CODE.find())),
    "codex": _asked(lambda: str(CODEX.find())),
}
