"""The first process of a training box: trains seed after seed, each in a child that leaves nothing.

Importing torch costs a third of a fit, so the seeds of one submission share a box, one after
another. They must not share anything else: a method that saw two weak supervisors' labels would
have better labels than the protocol allows. So, between two seeds, this process

    kills every other process of the box (it is process 1, `kill(-1)` reaches all of them),
    empties every place that a process of the box can write to, and resets the places themselves,
    waits until the host has taken all of the log out of its pipe,

and only then forks the child that reads the next seed's labels. This process never reads them: a
later child, being its copy, would find them in its memory. A child can neither trace nor read this
process, which is not dumpable. What would outlive a process in the kernel (System V objects,
message queues, extended attributes, internet sockets, another process's limits and priorities) is
refused by the box's system-call filter.

Not closed: clocks, counters and flags that the kernel keeps (process ids, inode numbers, sizes of
folders, time and pages used, the log's pipe), some dozens of bits each; and which pages of the
files shared with the host lie in memory.

Protocol: one JSON object per line, the next one only after the answer to the last. In: {"seed",
"probs": […]}. Out: {"ready": true} once, then for each request {"exit", "seconds"}.
Results lie in /workspace/out: a student as `write_student` writes it, or error.json.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import secrets
import select
import signal
import sys
import termios
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from aar_lab.box import box_root
from aar_lab.errors import LabError
from aar_lab.experiment.run import load_method, make_task, run_method
from aar_lab.experiment.students import write_student
from aar_lab.problems.bundle import Bundle
from aar_lab.types import Inputs, WeakLabels

PR_SET_DUMPABLE = 4
SCRATCH = ("tmp", "dev/shm", "workspace")


@dataclass(frozen=True)
class Place:
    """Where things lie in the box; `guarded` turns the separation of seeds on.

    Outside a real box this process is not the first one and must not kill or empty anything.
    """

    root: Path
    student: str
    guarded: bool = True

    @property
    def out(self) -> Path:
        """Where a seed's result goes."""
        return self.root / "workspace" / "out"


def _set_dumpable(flag: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, flag, 0, 0, 0)


def _kill_others() -> None:
    """Kill and reap everything else in the box. Only for process 1 of a box."""
    assert os.getpid() == 1
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            continue
        time.sleep(0.001)


def _empty(place: Path) -> None:
    """Remove all below a folder and reset its mode and times.

    Inner folders are moved up before they are entered, so that no tree is too deep or too closed.
    """
    doomed = [place]
    while doomed:
        folder = doomed.pop()
        os.chmod(folder, 0o700)
        for name in os.listdir(folder):
            path = folder / name
            if path.is_symlink() or not path.is_dir():
                path.unlink()
                continue
            os.chmod(path, 0o700)
            doomed.append(path.rename(place / secrets.token_hex(16)))
        if folder != place:
            folder.rmdir()
    os.utime(place, (0, 0))


def _await_log() -> None:
    """Wait until the pipe of the log is empty: where the host is no root, a child can read it."""
    fcntl.fcntl(2, fcntl.F_SETFL, os.O_WRONLY)
    while any(fcntl.ioctl(2, termios.FIONREAD, bytes(4))):
        time.sleep(0.001)


def _separate(place: Place) -> None:
    _kill_others()
    for name in SCRATCH:
        _empty(place.root / name)
    _await_log()


def _train(place: Place, inputs: Inputs, request: dict[str, Any]) -> None:
    weak = WeakLabels(inputs.ids, np.array(request["probs"]))
    bundle = Bundle(place.root / "data")
    source = (place.root / "job" / "method.py").read_text()
    task = make_task(bundle, place.student, inputs, weak)
    write_student(place.out, run_method(load_method(source), task, request["seed"]))


def _child(place: Place, inputs: Inputs, requests: BinaryIO) -> int:
    request = json.loads(requests.readline())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.setsid()
    _set_dumpable(1)
    try:
        _train(place, inputs, request)
    except LabError as error:
        traceback.print_exc()
        place.out.mkdir(parents=True, exist_ok=True)
        (place.out / "error.json").write_text(json.dumps(error.as_dict()))
        return 1
    return 0


def _run_seed(place: Place, inputs: Inputs, requests: BinaryIO) -> dict[str, Any]:
    if place.guarded:
        _separate(place)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _child(place, inputs, requests)
        finally:
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
            sys.stderr.flush()
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    seconds = time.monotonic() - started
    if place.guarded:
        _kill_others()
    return {"exit": os.waitstatus_to_exitcode(status), "seconds": seconds}


def _asked(requests: BinaryIO) -> bool:
    """Wait for a request without reading it; False at the end of the pipe."""
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    return bool(poll.poll()[0][1] & select.POLLIN)


def supervise(place: Place, requests: BinaryIO, answers: BinaryIO) -> int:
    """Serve requests until the pipe ends; returns 1 if a seed failed, else 0."""
    if place.guarded:
        _set_dumpable(0)
        # Process 1 is only reached by signals that it handles; Python handles this one.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    inputs = Bundle(place.root / "data").inputs()
    answers.write(b'{"ready": true}\n')
    answers.flush()
    failed = 0
    while _asked(requests):
        answer = _run_seed(place, inputs, requests)
        failed |= answer["exit"] != 0
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    return failed


def main() -> int:
    """python -m aar_lab.experiment.supervisor STUDENT"""
    place = Place(box_root(), sys.argv[1], guarded=os.getpid() == 1)
    return supervise(place, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    sys.exit(main())
