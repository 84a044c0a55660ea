"""Control groups of the kernel, version 1 or 2, below the host's own group.

Source: the kernel's documentation, admin-guide/cgroup-v1 and admin-guide/cgroup-v2. Version 2 keeps
processes out of inner groups, so there the nearest group above one's own that may have children
with the needed controllers is used.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aar_host.sandbox.groups import kill_all

_NAME = re.compile(r"aar-box-(\d+)-(\d+)-\d+")
_COUNTER = itertools.count()
_V1 = ("memory", "pids", "cpuacct")


@dataclass(frozen=True)
class Hierarchy:
    """Where groups are made: controller → directory; version 2 has the same one for each."""

    version: int
    parents: Mapping[str, Path]


def _mounts(mountinfo: str) -> list[tuple[str, Path, set[str]]]:
    """Mounted hierarchies: kind (cgroup or cgroup2), place, options."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            found.append((kind, Path(before.split()[4]), set(options.split(","))))
    return found


def _may_have_children(directory: Path) -> bool:
    """Whether groups can be made in a directory: tried, since modes do not tell."""
    probe = directory / f"aar-probe-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def _delegated(start: Path, root: Path) -> Path | None:
    """The nearest group from `start` up to `root` whose children are limited in memory and pids."""
    for directory in (start, *start.parents):
        if not directory.is_relative_to(root):
            return None
        with suppress(OSError):
            (directory / "cgroup.subtree_control").write_text("+memory +pids")
        with suppress(OSError):
            enabled = (directory / "cgroup.subtree_control").read_text()
            wanted = {"memory", "pids"} <= set(re.findall(r"\w+", enabled))
            if wanted and _may_have_children(directory):
                return directory
    return None


def detect(membership: str, mountinfo: str) -> Hierarchy | None:
    """What can be used here.

    Args:
        membership: text of /proc/self/cgroup.
        mountinfo: text of /proc/self/mountinfo.
    """
    own = {}
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        own.update({name: path.lstrip("/") for name in controllers.split(",")})
    parents: dict[str, Path] = {}
    for kind, place, options in _mounts(mountinfo):
        if kind == "cgroup2" and "" in own:
            group = _delegated(place / own[""], place)
            if group is not None:
                return Hierarchy(2, {"memory": group, "pids": group, "cpuacct": group})
        for name in set(_V1) & options & set(own) if kind == "cgroup" else ():
            if _may_have_children(place / own[name]):
                parents[name] = place / own[name]
    return Hierarchy(1, parents) if set(_V1) <= set(parents) else None


def detect_here() -> Hierarchy | None:
    """`detect` for this process."""
    proc = Path("/proc/self")
    return detect((proc / "cgroup").read_text(), (proc / "mountinfo").read_text())


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; "" if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


class ControlGroup:
    """One box as a control group; see `groups.Group`."""

    limits_memory = True
    limits_pids = True

    def __init__(self, hierarchy: Hierarchy, memory_bytes: int, pids: int) -> None:
        self._version = hierarchy.version
        name = f"aar-box-{os.getpid()}-{_started(os.getpid())}-{next(_COUNTER)}"
        self._at = {key: parent / name for key, parent in hierarchy.parents.items()}
        for directory in self._directories():
            directory.mkdir()
        if self._version == 2:
            self._write("memory", "memory.max", memory_bytes)
            self._write("memory", "memory.swap.max", 0, optional=True)
        else:
            self._write("memory", "memory.limit_in_bytes", memory_bytes)
            self._write("memory", "memory.memsw.limit_in_bytes", memory_bytes, optional=True)
        self._write("pids", "pids.max", pids)

    def _directories(self) -> list[Path]:
        return list(dict.fromkeys(self._at.values()))

    def _write(self, controller: str, name: str, value: int, optional: bool = False) -> None:
        """Set a value; an optional one is absent where the kernel does not account for swap."""
        path = self._at[controller] / name
        if not optional or path.exists():
            path.write_text(str(value))

    def _read(self, controller: str, name: str) -> str:
        try:
            return (self._at[controller] / name).read_text()
        except FileNotFoundError:
            return ""

    @property
    def join(self) -> list[str]:
        return [str(directory / "cgroup.procs") for directory in self._directories()]

    def pids(self) -> list[int]:
        texts = (self._read(key, "cgroup.procs") for key in self._at)
        return [int(pid) for pid in dict.fromkeys(" ".join(texts).split())]

    def cpu_seconds(self) -> float:
        if self._version == 2:
            found = re.search(r"usage_usec (\d+)", self._read("cpuacct", "cpu.stat"))
            return int(found[1]) / 1e6 if found else 0.0
        return int(self._read("cpuacct", "cpuacct.usage") or 0) / 1e9

    def memory(self) -> int:
        name = "memory.current" if self._version == 2 else "memory.usage_in_bytes"
        return int(self._read("memory", name) or 0)

    def peak(self) -> int | None:
        name = "memory.peak" if self._version == 2 else "memory.max_usage_in_bytes"
        return int(self._read("memory", name) or 0) or None

    def out_of_memory(self) -> bool:
        name = "memory.events" if self._version == 2 else "memory.oom_control"
        found = re.search(r"^oom_kill (\d+)", self._read("memory", name), re.MULTILINE)
        return found is not None and int(found[1]) > 0

    def kill(self) -> None:
        _kill(self._directories())

    def remove(self) -> None:
        for directory in self._directories():
            with suppress(OSError):
                directory.rmdir()


def _kill(directories: list[Path]) -> None:
    for directory in directories:
        with suppress(FileNotFoundError):
            at_once = directory / "cgroup.kill"
            if at_once.exists():
                at_once.write_text("1")
            else:
                kill_all(map(int, (directory / "cgroup.procs").read_text().split()))


def sweep(hierarchy: Hierarchy) -> int:
    """Kill and remove the groups of hosts that no longer live; return how many there were."""
    swept = 0
    for parent in dict.fromkeys(hierarchy.parents.values()):
        for directory in parent.glob("aar-box-*"):
            name = _NAME.fullmatch(directory.name)
            if name is None or _started(int(name[1])) == name[2]:
                continue
            _kill([directory])
            with suppress(OSError):
                directory.rmdir()
                swept += 1
    return swept
