"""Starts the program of a session: in a box of its own, or as a process of the host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from aar_host.researchers.base import MODEL_PORT, Launch
from aar_host.researchers.line import Line
from aar_host.sandbox import (
    MODEL_SOCKET,
    Box,
    BoxSpec,
    Sandbox,
    box_dir,
    box_python,
    start_plain,
)
from aar_host.settings import number
from aar_lab.errors import BadSettings

HOST_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Ground:
    """Where the sessions of a seat are started.

    Args:
        spec: of the seat's box.
        line: to its model, if it has one.
    """

    sandbox: Sandbox
    spec: BoxSpec
    line: Line | None


def agent_spec(spec: BoxSpec) -> BoxSpec:
    """The box of a seat with room for an agent of somebody else: memory, threads, files."""
    limits = replace(
        spec.limits,
        memory_bytes=number("agent_memory_mb") << 20,
        pids=number("agent_pids"),
        disk_bytes=number("agent_disk_mb") << 20,
        address_space=False,
    )
    return replace(spec, limits=limits)


def start_session(ground: Ground, launch: Launch) -> tuple[Box, str]:
    """The running program, and the text that it is to read.

    Raises:
        BadSettings: it wants a model and its seat has none, or a file of its is missing.
    """
    if launch.relay and ground.line is None:
        raise BadSettings(
            launch.command[0], "it needs a model and its seat has none", "Name a model."
        )
    spec = _session_spec(ground, launch)
    if launch.outside:
        return _start_outside(ground, spec, launch)
    command = list(launch.command)
    if launch.relay:
        relay = ["-m", "aar_lab.relay", str(MODEL_PORT), _model_socket(ground)]
        command = [*box_python(), *relay, *command]
    return ground.sandbox.start(command, spec), launch.stdin


def _session_spec(ground: Ground, launch: Launch) -> BoxSpec:
    spec, line = agent_spec(ground.spec), ground.line
    return replace(
        spec,
        read_only={**spec.read_only, **launch.mounts},
        sockets={**spec.sockets, **({MODEL_SOCKET: line.socket} if line else {})},
        environment={**spec.environment, **launch.environment},
    )


def _model_socket(ground: Ground) -> str:
    """Its path for the relay; without a sandbox, that of the host."""
    if ground.sandbox.name == "none" and ground.line is not None:
        return str(ground.line.socket)
    return MODEL_SOCKET


def _start_outside(ground: Ground, spec: BoxSpec, launch: Launch) -> tuple[Box, str]:
    """A process of the host that makes boxes itself: it reads what its boxes shall be."""
    known = json.loads(launch.stdin or "{}")
    stdin = json.dumps(known | {"box": _as_json(ground, spec)})
    # No variable of the host reaches it but these: keys and passwords may be among the others.
    variables = {"PATH": HOST_PATH, "LANG": "C.UTF-8", "AAR_BOX_DIR": str(box_dir())}
    plain = replace(spec, environment={**variables, **launch.environment})
    return start_plain(list(launch.command), plain, Path("/")), stdin


def _as_json(ground: Ground, spec: BoxSpec) -> Mapping[str, Any]:
    return {
        "sandbox": ground.sandbox.name,
        "workspace": str(spec.workspace),
        "mounts": {inside: str(path) for inside, path in spec.read_only.items()},
        "sockets": {inside: str(path) for inside, path in spec.sockets.items()},
        "environment": dict(ground.spec.environment),
        "limits": asdict(spec.limits),
    }
