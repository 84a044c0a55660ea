"""Inspect AI as an agent of `Sessions`: starts one process of the host for each session.

The process asks the model through the seat's forwarder and runs every tool in a box of the seat.
It gets its configuration by standard input and no variable of the host's environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from aar_host.researchers.base import Launch, Station
from aar_host.researchers.inspect.config import Bounds, write_config
from aar_host.researchers.launching import HOST_PATH
from aar_lab.errors import BadSettings

STATE = ".state"
MENDING = (sys.executable, "-I", "-m", "aar_host.researchers.inspect.mending")
MENDING_SECONDS = 300
SESSION = (sys.executable, "-I", "-m", "aar_host.researchers.inspect.session")
NEEDED = ("inspect_ai", "anthropic", "openai")
COMMON = Bounds()


def check_installed(needed: Sequence[str] = NEEDED) -> None:
    """`BadSettings` names the packages that are not installed."""
    missing = [package for package in needed if find_spec(package) is None]
    if missing:
        raise BadSettings(
            ", ".join(missing),
            "not installed, and the driver inspect needs it",
            "pip install 'automated-alignment-researchers[inspect]'",
        )


@dataclass(frozen=True)
class Inspect:
    """See `sessions.Agent`. Its model may speak any of the three protocols.

    Args:
        folder: of the campaign; logs go to researchers/NAME/inspect below it, for `inspect view`.
        bounds: of a session.
        program: the words of the session's process.
        needed: packages without which there is none.
    """

    folder: Path
    bounds: Bounds = COMMON
    program: Sequence[str] = SESSION
    needed: Sequence[str] = NEEDED
    name = "inspect"

    def launch(self, station: Station, brief: str) -> Launch:
        """One run of the agent on the brief."""
        check_installed(self.needed)
        if station.model is None or station.wire is None:
            raise BadSettings(self.name, "it needs a model and its seat has none", "Name a model.")
        logs = (self.folder / "researchers" / station.name / "inspect").absolute()
        (logs / STATE).mkdir(parents=True, exist_ok=True)
        logs.chmod(0o700)  # what an agent printed may hold its token
        known = {
            "seat": station.name,
            "seed": station.seed,
            "brief": brief,
            "model": station.model,
            "wire": station.wire.value,
            "logs": str(logs),
        }
        stdin = json.dumps(write_config(known, self._bounds(station)))
        return Launch(self.program, environment=_variables(logs), outside=True, stdin=stdin)

    def _bounds(self, station: Station) -> Bounds:
        """Those of a session that ends, with its log whole, a little before the campaign does."""
        left = station.lab("brief").get("seconds_left")
        if not isinstance(left, int | float):
            return self.bounds
        return replace(self.bounds, seconds=int(max(1, min(self.bounds.seconds, left - 2))))


def mend_logs(folder: Path) -> None:
    """Complete the logs of sessions that were cut, once no session runs any more.

    Args:
        folder: of the campaign; without a session of Inspect, nothing happens.
    """
    for state in sorted(folder.absolute().glob(f"researchers/*/inspect/{STATE}")):
        logs = state.parent
        words = [*MENDING, str(logs)]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                words,
                env={"PATH": HOST_PATH, "LANG": "C.UTF-8", **_variables(logs)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=MENDING_SECONDS,
                check=False,
            )


def _variables(logs: Path) -> dict[str, str]:
    """Where Inspect keeps its notes: beside the logs, not in the home of whoever runs the host."""
    state = str(logs / STATE)
    return {"HOME": state, "XDG_DATA_HOME": state, "XDG_CACHE_HOME": state}
