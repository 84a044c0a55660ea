"""A box as the host sees it: one watcher thread enforces limits, keeps the log, and reaps."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import threading
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from aar_host.sandbox.base import Exit, Limits
from aar_host.sandbox.groups import Group, wait_until_empty
from aar_host.sandbox.workspace import disk_use
from aar_lab.errors import JobFailed
from aar_lab.types import JobStatus

_TICK_SECONDS = 0.1
_DISK_SECONDS = 0.25
_CHUNK = 65536
_CODE_OF_CPU_LIMIT = 128 + signal.SIGXCPU
_NO_MEMORY = re.compile(r"^MemoryError|std::bad_alloc|can't allocate memory", re.MULTILINE)


def harmless(log: bytes) -> str:
    """Text that cannot steer a terminal or reorder a page: control characters are escaped."""
    text = log.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        f"\\x{ord(char):02x}"
        if unicodedata.category(char) in ("Cc", "Cf") and char not in "\n\t"
        else char
        for char in text
    )


@dataclass(frozen=True)
class Parts:
    """What a sandbox hands over: a started process with its three pipes, and what bounds it."""

    process: subprocess.Popen[bytes]
    group: Group
    limits: Limits
    workspace: Path
    clean_up: Callable[[], None]


class HostedBox:
    """See `base.Box`."""

    def __init__(self, parts: Parts) -> None:
        process = parts.process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.stdin: IO[bytes] = process.stdin
        self.stdout: IO[bytes] = process.stdout
        self._stderr = process.stderr
        self._parts = parts
        self._began = time.monotonic()
        self._cancelled = False
        self._reaping = threading.Lock()
        self._log = bytearray()
        os.set_blocking(self._stderr.fileno(), False)
        self._exit: Future[Exit] = Future()
        # A daemon: a host that ends does not wait for its boxes, which die with it.
        threading.Thread(target=self._fulfil, name="box", daemon=True).start()

    def wait(self, timeout: float | None = None) -> Exit:
        return self._exit.result(timeout)

    def kill(self) -> None:
        with self._reaping:
            if self._parts.process.returncode is None:
                self._cancelled = True
                self._strike()
        self._exit.result()

    def _strike(self) -> None:
        """Kill the members, then the first process, whose death takes the namespace with it."""
        self._parts.group.kill()
        os.kill(self._parts.process.pid, signal.SIGKILL)

    def _fulfil(self) -> None:
        done: Exit | None = None
        try:
            done = self._watch()
        finally:
            if done is None:
                fault = "its watcher failed; the host's stderr says why"
                self._exit.set_exception(JobFailed("box", fault, "Run the job again."))
            else:
                self._exit.set_result(done)

    def _watch(self) -> Exit:
        cause: JobStatus | None = None
        try:
            cause = self._observe()
        finally:
            status, cpu_seconds = self._reap()
        self._drain()
        self._stderr.close()
        cpu_seconds = max(cpu_seconds, self._parts.group.cpu_seconds())
        peak, killed_by_kernel = self._parts.group.peak(), self._parts.group.out_of_memory()
        self._parts.group.remove()
        self._parts.clean_up()
        log = harmless(bytes(self._log))
        code = status if status >= 0 else 128 - status
        if self._cancelled:
            cause = JobStatus.CANCELLED
        return Exit(
            status=cause or self._verdict(code, log, killed_by_kernel),
            code=code if cause is None else None,
            log=log,
            wall_seconds=time.monotonic() - self._began,
            cpu_seconds=cpu_seconds,
            peak_memory=peak,
        )

    def _observe(self) -> JobStatus | None:
        """Wait for the first process to end (None), or for a limit to be passed (its status)."""
        pidfd, errors = os.pidfd_open(self._parts.process.pid), self._stderr.fileno()
        try:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            poll.register(errors, select.POLLIN)
            next_look = 0.0
            next_disk = time.monotonic() + _DISK_SECONDS
            while True:
                ready = dict(poll.poll(_TICK_SECONDS * 1000))
                if pidfd in ready:
                    return None
                if errors in ready and not self._keep_some():
                    poll.unregister(errors)
                now = time.monotonic()
                if now >= next_look:
                    next_look = now + _TICK_SECONDS
                    if cause := self._passed(now >= next_disk):
                        return cause
                    if now >= next_disk:
                        next_disk = time.monotonic() + _DISK_SECONDS
        finally:
            os.close(pidfd)

    def _passed(self, look_at_disk: bool) -> JobStatus | None:
        limits, group = self._parts.limits, self._parts.group
        if time.monotonic() - self._began > limits.wall_seconds:
            return JobStatus.TIMEOUT
        if group.cpu_seconds() > limits.cpu_seconds:
            return JobStatus.TIMEOUT
        if not group.limits_memory and group.memory() > limits.memory_bytes:
            return JobStatus.OUT_OF_MEMORY
        if look_at_disk and self._disk_full():
            return JobStatus.DISK_FULL
        return None

    def _disk_full(self) -> bool:
        limit = self._parts.limits.disk_bytes
        used = disk_use(self._parts.workspace, limit)
        return used + _deleted(self._parts.group.pids(), self._parts.workspace) > limit

    def _keep_some(self) -> bool:
        """Read once from stderr and keep its end; False at end of file."""
        try:
            chunk = os.read(self._stderr.fileno(), _CHUNK)
        except BlockingIOError:
            return True
        self._log += chunk
        del self._log[: -self._parts.limits.log_bytes]
        if len(chunk) == _CHUNK:
            # A flood is slowed down to what costs the host little; the box waits at its pipe.
            time.sleep(0.005)
        return bool(chunk)

    def _drain(self) -> None:
        """Keep what was still in the pipe; bounded, since without namespaces one may write on."""
        for _ in range(64):
            before = bytes(self._log)
            if not self._keep_some() or bytes(self._log) == before:
                return

    def _reap(self) -> tuple[int, float]:
        """End and bury everything; exit code (negative: signal) and processor time."""
        group, process = self._parts.group, self._parts.process
        with self._reaping:
            self._strike()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wait_until_empty(group)
        return process.returncode, usage.ru_utime + usage.ru_stime

    def _verdict(self, code: int, log: str, killed_by_kernel: bool) -> JobStatus:
        """The status of a box that ended by itself."""
        if self._disk_full():
            return JobStatus.DISK_FULL
        if code == 0:
            return JobStatus.DONE
        if killed_by_kernel or _NO_MEMORY.search(log):
            return JobStatus.OUT_OF_MEMORY
        return JobStatus.TIMEOUT if code == _CODE_OF_CPU_LIMIT else JobStatus.CRASHED


def _deleted(pids: list[int], workspace: Path) -> int:
    """Bytes of files on the workspace's disk that are deleted and still open in these processes."""
    try:
        device = workspace.stat().st_dev
    except FileNotFoundError:
        return 0
    seen: dict[int, int] = {}
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        try:
            for name in os.listdir(folder):
                status = os.stat(f"{folder}/{name}")
                if status.st_nlink == 0 and status.st_dev == device:
                    seen[status.st_ino] = status.st_blocks * 512
        except OSError:
            continue  # gone meanwhile, or not ours to look at
    return sum(seen.values())
