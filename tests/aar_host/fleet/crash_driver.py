"""The process that crash tests kill: a whole campaign, its researchers scripted.

`python -m tests.aar_host.fleet.crash_driver OUT LOG` forks a child for every line on stdin, which
starts the campaign in OUT or goes on with it; so imports are paid once and not after every kill.
It prints the child's process id, and its exit status when it has ended.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aar_host.fleet.campaign import options_of, started
from aar_host.fleet.options import Options, Show
from aar_host.fleet.run import run_campaign
from aar_host.jobs.manifest import has_manifest
from aar_host.researchers.base import Station
from aar_lab.errors import JobFailed, LabError
from aar_lab.types import JobStatus

PROBLEM = Path(__file__).with_name("tiny_problem.py")
RESEARCHERS, METHODS, SECRET = 2, 2, 20260401
UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)
SOURCE = '''"""Method {number} of {name}

Learns from hard labels in {epochs} passes.

Objective: cross entropy with hard labels.
Data: all inputs with their weak labels.
Procedure: fit one student once.
Hyper-parameters: epochs = {epochs}
"""
from aar_lab.learners.base import Plan
from aar_lab.types import Student

FAMILY = "other"


def train(task, rng):
    student = task.student()
    student.fit(task.inputs, task.weak.probs.round(), rng, plan=Plan(epochs={epochs}))
    return Student((student.save(),))
'''


def source_of(name: str, number: int) -> str:
    """The text of a method; no two are the same."""
    return SOURCE.format(name=name, number=number, epochs=1 + number + (name == "blaise"))


class Script:
    """A researcher that hands in a fixed list, in order, and posts one finding on each.

    Args:
        log: a line is added for each submission that the host accepted, before anything else.
    """

    def __init__(self, log: Path) -> None:
        self._log = log

    def run(self, station: Station, stop: Callable[[], bool]) -> None:
        """See `Researcher`."""
        try:
            for number in range(METHODS):
                self._carry(station, f"methods/{number}.py", source_of(station.name, number))
        except LabError as error:
            if "closed" not in error.fault:
                raise

    def _carry(self, station: Station, path: str, source: str) -> None:
        station.write(path, source)
        submission = _asked(station, "submit", path)["submission"]
        _add(self._log, {"author": station.name, "path": path, "submission": submission})
        while _asked(station, "scores", submission, "--wait", "5")["status"] in UNFINISHED:
            pass
        while submission not in _cited(station):
            try:
                station.lab("post", "result", f"{path} was scored.", "--cites", submission)
            except JobFailed:
                continue


def _asked(station: Station, *words: str) -> dict[str, Any]:
    """As a client does that lost the answer: it asks again."""
    while True:
        try:
            return station.lab(*words)
        except JobFailed:
            continue


def _cited(station: Station) -> set[str]:
    rows = _asked(station, "findings", "--since", "0")["findings"]
    return {name for row in rows if row["author"] == station.name for name in row["cites"]}


def _add(log: Path, row: dict[str, str]) -> None:
    with log.open("a") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _silent() -> Iterator[Show]:
    yield lambda status: None


def run(out: Path, log: Path) -> None:
    """Start the campaign or go on with it, until its end."""
    fresh = not has_manifest(out)
    options = (
        Options(str(PROBLEM), RESEARCHERS, 60.0, 0, out, "bubblewrap", 2)
        if fresh
        else options_of(out)
    )
    with started(options, lambda text, done, of: None, fresh, SECRET) as campaign:
        run_campaign(campaign, options, _silent, lambda seat, logs: Script(log))


def main() -> None:
    """See the module."""
    out, log = map(Path, sys.argv[1:])
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            run(out, log)
            return
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
