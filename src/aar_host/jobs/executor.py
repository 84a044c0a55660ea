"""The local executor: worker processes on this machine, replaced when they die.

It only runs jobs; what is to be done, and what has become of it, is in the store. Jobs of many
machines are another executor's business.
"""

from __future__ import annotations

import multiprocessing
import secrets
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from aar_host.jobs.grounds import Grounds
from aar_host.jobs.places import campaign_of, place_of
from aar_host.jobs.settle import settle, settle_rest
from aar_host.jobs.training import workspace_name
from aar_host.jobs.worker import work
from aar_host.sandbox import box_dir, remove_workspace
from aar_host.store import Store
from aar_host.store.jobs import Job, requeue_lost
from aar_lab.digest import digest_text
from aar_lab.errors import Unavailable
from aar_lab.types import JobStatus

STOP_SECONDS = 3.0
SETTLE_SECONDS = 1.0
MAX_DEATHS = 20
LAUNCHES = 5


class Executor(Protocol):
    """Runs the queued jobs of a campaign."""

    def start(self) -> None:
        """Begin to take jobs."""

    def tend(self) -> int:
        """Replace what has died and requeue its jobs; returns how many died. Call it often."""

    def stop(self) -> None:
        """Take no more jobs and end; a job that runs is requeued."""


class LocalExecutor:
    """`workers` processes that share this machine, for the campaign that lives in `directory`."""

    def __init__(self, store: Store, directory: Path, workers: int) -> None:
        self._store, self._directory, self._size = store, directory, workers
        self._campaign = campaign_of(directory)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([work.__module__])
        self._stop = self._context.Event()
        self._deaths: list[float] = []
        self._settled = 0.0
        self._workers: dict[str, BaseProcess] = {}
        # Names of this executor alone: their workspaces lie in one folder with those of others.
        self._place = digest_text(str(directory.resolve()))[:8]
        self._token = secrets.token_hex(4)
        self._started = 0

    @property
    def names(self) -> str:
        """A pattern of the names of all workers that ever worked in this directory."""
        return f"worker-{self._place}-*"

    def clear(self) -> None:
        """Remove the workspaces of workers that earlier executors left in this directory.

        For whoever holds the directory: all those workers are dead, and their boxes with them.
        """
        for workspace in box_dir().glob(workspace_name(self.names)):
            remove_workspace(workspace)

    def start(self) -> None:
        """See `Executor`."""
        while len(self._workers) < self._size:
            self._started += 1
            name = f"worker-{self._place}-{self._token}-{self._started}"
            self._workers[name] = self._launch(name)

    def _launch(self, name: str) -> BaseProcess:
        """A started worker; the process that forks them may be killed just then, and is replaced
        when it is asked again."""
        for left in reversed(range(LAUNCHES)):
            place = (self._directory, place_of(self._directory))
            process = self._context.Process(
                target=work, args=(place, name, self._stop), name=name, daemon=True
            )
            try:
                process.start()
            except (EOFError, OSError) as error:
                if not left:
                    raise Unavailable(
                        name, f"no process can be started ({error!r})", "Run `aar doctor`."
                    ) from error
                continue
            break
        return process

    @property
    def pids(self) -> list[int]:
        """Process ids of the living workers."""
        return [p.pid for p in self._workers.values() if p.pid is not None and p.is_alive()]

    def tend(self) -> int:
        """See `Executor`; `Unavailable` if workers die as fast as they are replaced."""
        dead = [name for name, process in self._workers.items() if not process.is_alive()]
        for name in dead:
            self._bury(name)
            self._settle(requeue_lost(self._store, self._campaign, name))
        self._settle(requeue_lost(self._store, self._campaign))
        now = time.monotonic()
        if now > self._settled + SETTLE_SECONDS:
            self._settled = now
            settle_rest(self._store, Grounds(self._directory), self._campaign)
        self._deaths = [t for t in self._deaths if t > now - 60] + [now] * len(dead)
        if len(self._deaths) > MAX_DEATHS:
            raise Unavailable(
                "workers", f"{len(self._deaths)} died within a minute", "Run `aar doctor`."
            )
        if not self._stop.is_set():
            self.start()
        return len(dead)

    def _bury(self, name: str) -> None:
        """Clear up after a dead worker; its box died with it."""
        self._workers.pop(name).join()
        remove_workspace(box_dir() / workspace_name(name))

    def _settle(self, jobs: list[Job]) -> None:
        for job in jobs:
            if job.status is JobStatus.LOST:
                settle(self._store, Grounds(self._directory), job)

    def stop(self) -> None:
        """See `Executor`."""
        self._stop.set()
        for process in self._workers.values():
            process.join(STOP_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        for name in list(self._workers):
            self._bury(name)
            requeue_lost(self._store, self._campaign, name, counted=False)
