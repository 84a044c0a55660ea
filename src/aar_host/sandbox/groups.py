"""All processes of one box as one thing: measured and ended together.

Three ways, chosen by `make_group`: control groups of version 2 or 1 where this process may create
them, else the tree of descendants as /proc shows it. A group of the kernel cannot be left and kills
at its limit; a tree is only looked at ten times a second, and knows what the namespace's first
process has reaped.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

_TICKS = os.sysconf("SC_CLK_TCK")


class Group(Protocol):
    """The processes of one box."""

    @property
    def join(self) -> list[str]:
        """Files into which a process writes its id to become a member."""

    @property
    def limits_memory(self) -> bool:
        """Whether the kernel itself ends the box at its memory limit."""

    @property
    def limits_pids(self) -> bool:
        """Whether the kernel itself counts processes and threads."""

    def pids(self) -> list[int]:
        """The members, as the host numbers them."""

    def cpu_seconds(self) -> float:
        """Processor time of all members so far."""

    def memory(self) -> int:
        """Bytes in use."""

    def peak(self) -> int | None:
        """The most bytes in use so far."""

    def out_of_memory(self) -> bool:
        """Whether the kernel killed a member for memory."""

    def kill(self) -> None:
        """Kill every member."""

    def remove(self) -> None:
        """Forget the group; it is empty."""


def kill_all(pids: Iterable[int]) -> None:
    """SIGKILL to each process that still exists."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name; empty if the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def descendants(root: int) -> dict[int, list[str]]:
    """`root` and all below it, parents before children: process id → fields of its stat."""
    stats = {int(name): _stat(int(name)) for name in os.listdir("/proc") if name.isdecimal()}
    children: dict[int, list[int]] = {}
    for pid, fields in stats.items():
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)
    found, queue = {}, [root]
    while queue:
        pid = queue.pop(0)
        if stats.get(pid):
            found[pid] = stats[pid]
            queue += children.get(pid, [])
    return found


class Tree:
    """The descendants of one process: for machines where no control group can be made."""

    limits_memory = False
    limits_pids = False

    def __init__(self) -> None:
        self._root: int | None = None
        self._cpu = 0.0
        self._peak = 0

    @property
    def join(self) -> list[str]:
        return []

    def grow_from(self, root: int) -> None:
        """Name the first process; before that the tree is empty."""
        self._root = root

    def _members(self) -> dict[int, list[str]]:
        return {} if self._root is None else descendants(self._root)

    def pids(self) -> list[int]:
        return list(self._members())

    def cpu_seconds(self) -> float:
        # user, system, and both again for children that were waited for
        ticks = sum(sum(map(int, fields[11:15])) for fields in self._members().values())
        self._cpu = max(self._cpu, ticks / _TICKS)
        return self._cpu

    def memory(self) -> int:
        used = sum(_resident(pid) for pid in self._members())
        self._peak = max(self._peak, used)
        return used

    def peak(self) -> int | None:
        return self._peak or None

    def out_of_memory(self) -> bool:
        return False

    def kill(self) -> None:
        kill_all(self.pids())

    def remove(self) -> None:
        self._root = None


def _resident(pid: int) -> int:
    """Anonymous and shared memory of a process in bytes, without pages of files.

    Pages that processes share (a fork's copy, before it is written to) count once, by shares;
    where the kernel hides the shares of a process, its pages count whole.
    """
    for name, wanted in (
        ("smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")),
        ("status", ("RssAnon:", "RssShmem:")),
    ):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
        except OSError:
            continue
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(wanted))
    return 0


def wait_until_empty(group: Group, seconds: float = 5.0) -> None:
    """Kill members until there is none; a process in the kernel's hands may take a moment."""
    end = time.monotonic() + seconds
    while group.pids() and time.monotonic() < end:
        group.kill()
        time.sleep(0.002)
