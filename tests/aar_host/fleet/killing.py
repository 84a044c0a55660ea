"""Processes of a campaign: which there are, and killing some of them."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# How often each is killed: the host, a worker or the server they are forked from, a researcher's
# box, or everything at once.
VICTIMS = {"host": 20, "worker": 25, "fork server": 5, "box": 35, "all": 15}


@dataclass(frozen=True)
class Process:
    """A process, known also by when it was started: its number may be used again."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has that number now."""
        fields = _fields(pid)
        return cls(pid, fields[19] if fields else "")

    @property
    def alive(self) -> bool:
        """Whether it runs, and is no zombie."""
        fields = _fields(self.pid)
        return bool(fields) and fields[19] == self.started and fields[0] != "Z"


def _fields(pid: int) -> list[str]:
    """What /proc tells of a process, behind its name: state, parent, … (proc(5), from field 3)."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return []


def children() -> dict[int, list[int]]:
    """Process id → those of its children, of this whole machine."""
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _fields(int(folder.name))
        if fields:
            found.setdefault(int(fields[1]), []).append(int(folder.name))
    return found


def below(pid: int, tree: Mapping[int, Sequence[int]]) -> list[int]:
    """All descendants, parents before their children."""
    return [p for child in tree.get(pid, []) for p in (child, *below(child, tree))]


def descendants(process: Process) -> set[Process]:
    """All that were started by it or by one of them, and run now."""
    return {Process.of(pid) for pid in below(process.pid, children())}


def _is(pid: int, word: str) -> bool:
    with suppress(OSError):
        return word in Path(f"/proc/{pid}/cmdline").read_text()
    return False


def victims(host: int) -> dict[str, list[int]]:
    """What can be killed now: kind → process ids that are killed together or, of "worker" and
    "box", one of which is."""
    tree = children()
    ours = [p for p in tree.get(host, []) if not _is(p, "resource_tracker")]
    servers = [p for p in ours if _is(p, "forkserver")]
    workers = [p for server in servers for p in tree.get(server, [])]
    found = {
        "host": [host],
        "fork server": servers,
        "worker": workers,
        "box": [p for p in ours if p not in servers],
        # A worker whose box alone is killed would report that its method crashed.
        "all": [host, *servers, *workers, *below(host, tree)],
    }
    return {kind: pids for kind, pids in found.items() if pids}


def kill(host: Process, rng: random.Random) -> str:
    """Kill something; which kind it was."""
    found = victims(host.pid)
    weights = [VICTIMS[kind] for kind in found]
    (kind,) = rng.choices(list(found), weights)
    for pid in [rng.choice(found[kind])] if kind in ("worker", "box") else found[kind]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return kind
