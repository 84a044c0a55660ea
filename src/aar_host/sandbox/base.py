"""What a sandbox is to the rest of the host: a command goes in, a status and a log come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from aar_lab.types import JobStatus

HOST_SOCKET = "/run/host.sock"
MODEL_SOCKET = "/run/model.sock"


@dataclass(frozen=True)
class Limits:
    """What one box may use, all its processes together.

    Args:
        memory_bytes: memory; beyond it the box ends as OUT_OF_MEMORY.
        wall_seconds: life of the box; beyond it TIMEOUT.
        cpu_seconds: processor time; beyond it TIMEOUT.
        pids: processes and threads; beyond it a fork fails inside the box.
        disk_bytes: size of the whole workspace, with what the host put there; beyond it DISK_FULL.
        log_bytes: how much of the end of stderr is kept.
        address_space: whether each process is also held to an address space of a little more than
            the memory; programs of JavaScript reserve far more than they use.
    """

    memory_bytes: int
    wall_seconds: float
    cpu_seconds: float
    pids: int
    disk_bytes: int
    log_bytes: int = 65536
    address_space: bool = True


@dataclass(frozen=True)
class BoxSpec:
    """One box.

    Args:
        workspace: host directory, made by `new_workspace`; writable as /workspace.
        limits: what the box may use.
        read_only: path in the box → host file or directory. Their parents may be closed to other
            users, they themselves must be readable by others (the box has a uid of its own).
        sockets: path in the box → host unix socket, e.g. `HOST_SOCKET`; its mode must let others
            write.
        environment: variables beside those that every box has.
        init: run the command as process 1 of the box. For a trusted supervisor only: it reaps
            orphans and may signal every process of the box with kill(-1). Such a box has no
            internet sockets, not even on its own loopback.
    """

    workspace: Path
    limits: Limits
    read_only: Mapping[str, Path] = field(default_factory=dict)
    sockets: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    init: bool = False


@dataclass(frozen=True)
class Exit:
    """How a box ended.

    Args:
        status: DONE, CRASHED, TIMEOUT, OUT_OF_MEMORY, DISK_FULL or CANCELLED.
        code: exit code, 128 + signal for a signal; None where the host ended the box.
        log: the end of stderr, decoded, control characters escaped.
        wall_seconds: life of the box.
        cpu_seconds: processor time of all its processes.
        peak_memory: bytes, page cache included where a control group measured; None if unknown.
    """

    status: JobStatus
    code: int | None
    log: str
    wall_seconds: float
    cpu_seconds: float
    peak_memory: int | None


class Box(Protocol):
    """A running box."""

    @property
    def stdin(self) -> IO[bytes]:
        """What the command reads; a write to an ended box raises `BrokenPipeError`."""

    @property
    def stdout(self) -> IO[bytes]:
        """What the command writes; the caller reads, and a full pipe makes the command wait."""

    def wait(self, timeout: float | None = None) -> Exit:
        """Block until nothing of the box runs any more; `TimeoutError` after `timeout` seconds."""

    def kill(self) -> None:
        """Remove everything in the box; its exit is then CANCELLED unless it had ended before."""


class Sandbox(Protocol):
    """A way to run commands that nobody trusts."""

    @property
    def name(self) -> str:
        """As in the setting `sandbox`; part of every result."""

    def start(self, command: Sequence[str], spec: BoxSpec) -> Box:
        """Start the command in a new box; `BadSettings` if the specification cannot be met."""


def run(sandbox: Sandbox, command: Sequence[str], spec: BoxSpec) -> Exit:
    """Run the command to its end with empty input, its stdout read and thrown away."""
    box = sandbox.start(command, spec)
    box.stdin.close()
    with box.stdout as stdout:
        while stdout.read(65536):
            pass
    return box.wait()
