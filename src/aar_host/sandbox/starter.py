"""Starts the launcher of a box with its plan."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aar_host.sandbox import launch
from aar_host.sandbox.base import Limits

_MAPPED_FILES = 512 << 20
_OPEN_FILES = 1024


class _Starter:
    """One thread that starts all boxes and lives as long as the host.

    A box dies with the *thread* that started it (PR_SET_PDEATHSIG), so it may not be the caller's.
    """

    def __init__(self) -> None:
        self.renew()
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Threads do not survive a fork of the host: the child needs its own."""
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="box-starter")


_STARTER = _Starter()


def rlimits(limits: Limits, memory: bool) -> dict[str, tuple[int, int]]:
    """What holds for each process of the box; with `memory` also its address space.

    All are backstops for what the watcher of the whole box sees first; the address space is one for
    a single huge allocation, so it leaves room for mapped files.
    """
    cpu = math.ceil(limits.cpu_seconds)
    # A little more than the whole, so that who reaches it has passed the limit of the disk.
    file = limits.disk_bytes + (64 << 10)
    found = {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_CPU": (cpu + 1, cpu + 2),
        "RLIMIT_FSIZE": (file, file),
        "RLIMIT_NOFILE": (_OPEN_FILES, _OPEN_FILES),
    }
    if memory and limits.address_space:
        most = limits.memory_bytes + _MAPPED_FILES
        found["RLIMIT_AS"] = (most, most)
    return found


def _spawn(plan: launch.Plan) -> subprocess.Popen[bytes]:
    descriptor = os.memfd_create("plan")
    try:
        os.write(descriptor, json.dumps(plan).encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(launch.__file__)), str(descriptor)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            pass_fds=[descriptor],
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def start_launcher(plan: launch.Plan) -> subprocess.Popen[bytes]:
    """Start the launcher; its three streams are pipes, and it is a session of its own."""
    return _STARTER.pool.submit(_spawn, plan).result()
