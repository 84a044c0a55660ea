"""Which drivers can work on this machine, and what the others lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from aar_host.fleet.seating import DRIVERS
from aar_host.researchers.programs import CLAUDE_CODE, CODEX, Program
from aar_lab.errors import BadSettings

INSPECT_REMEDY = "Install the extra: pip install 'automated-alignment-researchers[inspect]'."


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
