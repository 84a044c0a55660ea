"""A training box: the method's code, training inputs, weak labels of one seed at a time. No more.

What comes back is read as untrusted bytes and becomes a student only if names, shapes, types and
values are those of the base model.
"""

from __future__ import annotations

import json
import os
import select
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from aar_host.sandbox import (
    Box,
    BoxSpec,
    Limits,
    Sandbox,
    box_python,
    harmless,
    new_workspace,
    read_workspace_file,
    remove_workspace,
)
from aar_host.settings import number
from aar_lab.errors import BadInput, JobFailed, LabError, from_dict
from aar_lab.experiment.students import parse_student
from aar_lab.types import JobStatus, Student, WeakLabels

START_SECONDS = 30.0
MAX_ANSWER = 4096
MAX_ERROR_BYTES = 4096
MAX_WORDS = 500
MIB = 2**20


def training_limits(seeds: int) -> Limits:
    """What one training box may use, from the settings."""
    seconds = number("job_seconds")
    return Limits(
        memory_bytes=number("job_memory_mb") * MIB,
        wall_seconds=START_SECONDS + seeds * seconds + 60,
        cpu_seconds=START_SECONDS + seeds * seconds * 1.5,
        pids=number("job_pids"),
        disk_bytes=number("job_disk_mb") * MIB,
    )


def workspace_name(worker: str) -> str:
    """The workspace of a worker's box; a worker has one at a time."""
    return f"train-{worker}"


def bad_output(error: LabError) -> JobFailed:
    """The same error as the end of a job; a method may have chosen some of its words."""
    value, fault, remedy = map(_plain, (error.value, error.fault, error.remedy))
    return JobFailed(value, fault, remedy, JobStatus.BAD_OUTPUT)


def _plain(text: object) -> str:
    """Words of a method, short, and harmless wherever they are shown."""
    return harmless(str(text)[:MAX_WORDS].encode(errors="replace"))


@dataclass(frozen=True)
class Order:
    """What a training box is for.

    Args:
        name: of its workspace, unique among living boxes.
        bundle: public bundle, /data in the box.
        method: the method's file, /job/method.py in the box.
        student: name of the strong student.
        member_bytes: most bytes of one member's weights.
        seeds: how many seeds it may be asked for.
    """

    name: str
    bundle: Path
    method: Path
    student: str
    member_bytes: int
    seeds: int


@dataclass(frozen=True)
class Trained:
    """A validated student and the wall time that its training took, in seconds."""

    student: Student
    seconds: float


class TrainingBox:
    """A context in which seeds are trained one after another.

    Raises `JobFailed` with the status and the log of the box whenever a seed gives no student; the
    box is then closed, and what else was to be trained needs a new one.
    """

    def __init__(self, sandbox: Sandbox, order: Order) -> None:
        self._sandbox, self._order = sandbox, order
        self._pending = b""
        self.start_seconds = 0.0

    def __enter__(self) -> TrainingBox:
        started = time.monotonic()
        self._workspace = new_workspace(self._order.name)
        spec = BoxSpec(
            workspace=self._workspace,
            limits=training_limits(self._order.seeds),
            read_only={"/data": self._order.bundle, "/job/method.py": self._order.method},
            init=True,
        )
        command = [*box_python(), "-m", "aar_lab.experiment.supervisor", self._order.student]
        self._box: Box = self._sandbox.start(command, spec)
        try:
            self._answer(START_SECONDS)
        except JobFailed:
            self._close()
            raise
        self.start_seconds = time.monotonic() - started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._box.kill()
        self._box.wait()
        self._box.stdout.close()
        with suppress(OSError):
            self._box.stdin.close()
        remove_workspace(self._workspace)

    def train(self, weak: WeakLabels, index: int, seed: int) -> Trained:
        """Train one seed; the weak labels go in through the supervisor's pipe."""
        request = {
            "seed": seed,
            "probs": weak.probs.tolist(),
        }
        try:
            self._box.stdin.write(json.dumps(request).encode() + b"\n")
            self._box.stdin.flush()
        except BrokenPipeError:
            self._fail("the box ended before the seed began")
        answer = self._answer(number("job_seconds"))
        if answer.get("exit") != 0:
            self._fail(f"seed {index} ended with code {answer.get('exit')}")
        try:
            student = parse_student(self._read, self._order.member_bytes)
        except LabError as error:
            raise bad_output(error) from error
        return Trained(student, float(answer["seconds"]))

    def _read(self, name: str, most: int) -> bytes:
        return read_workspace_file(self._workspace, f"out/{name}", most)

    def _answer(self, seconds: float) -> dict[str, Any]:
        """The supervisor's next line; `JobFailed` if the box ends or the time is up."""
        until = time.monotonic() + seconds
        descriptor = self._box.stdout.fileno()
        while b"\n" not in self._pending:
            left = until - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                self._box.kill()
                self._fail(f"no answer within {seconds:g} s", JobStatus.TIMEOUT)
            part = os.read(descriptor, MAX_ANSWER)
            if not part or len(self._pending) > MAX_ANSWER:
                self._fail("the box ended")
            self._pending += part
        line, _, self._pending = self._pending.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError:
            self._fail("the supervisor's answer is not JSON")
        return answer if isinstance(answer, dict) else {}

    def _fail(self, what: str, status: JobStatus | None = None) -> NoReturn:
        """Close the box and raise `JobFailed` with its status, log and, if any, typed error."""
        with suppress(OSError):
            self._box.stdin.close()
        try:
            ended = self._box.wait(5.0)
        except TimeoutError:
            self._box.kill()
            ended = self._box.wait()
        own = status or (ended.status if ended.status is not JobStatus.DONE else JobStatus.CRASHED)
        if own is JobStatus.CANCELLED:
            own = JobStatus.CRASHED
        cause = self._typed_error() if own is JobStatus.CRASHED else None
        value, fault, remedy = (
            (cause.value, cause.fault, cause.remedy)
            if cause
            else (f"method of box {self._order.name}", what, "Read the log; try it with `lab try`.")
        )
        raise JobFailed(value, fault, remedy, own, ended.log)

    def _typed_error(self) -> LabError | None:
        try:
            body = json.loads(self._read("error.json", MAX_ERROR_BYTES))
            return from_dict({k: _plain(v) for k, v in body.items()})
        except (BadInput, ValueError, AttributeError, RecursionError):
            return None
