"""A seat in a box: one `lab shell` for the whole campaign, a line in and a line out."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aar_host.researchers.base import CallNote, Cut, Launch, SessionEnd, Watch, Wire
from aar_host.researchers.directions import Direction
from aar_host.researchers.launching import Ground, agent_spec, start_session
from aar_host.researchers.line import Line
from aar_host.researchers.watching import follow
from aar_host.sandbox import (
    HOST_SOCKET,
    Box,
    BoxSpec,
    Limits,
    Sandbox,
    box_python,
    put_file,
    read_workspace_file,
)
from aar_host.settings import number
from aar_lab.errors import BadInput, JobFailed, LabError, Unavailable, from_dict
from aar_lab.types import JobStatus

MAX_ANSWER_BYTES = 8 << 20
MAX_FILE_BYTES = 1 << 20
MAX_LOG = 500

Listen = Callable[[str, str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Seat:
    """Who sits there; `seed` rules all that the researcher draws."""

    name: str
    direction: Direction
    seed: int


@dataclass(frozen=True)
class Terms:
    """How the box is used.

    Args:
        command: the first process of the box; empty: `lab shell`.
        deadline: seconds that one command may take before its box is ended.
        restarts: how often a dead box is replaced.
        line: to the seat's model; None: it has none, and no session that needs one.
    """

    command: Sequence[str] = ()
    deadline: float = 90.0
    restarts: int = 3
    line: Line | None = None


def seat_spec(
    workspace: Path, places: Mapping[str, Path], socket: Path, token: str, seconds: float
) -> BoxSpec:
    """The box of a researcher: the public bundle and the forum, the host's socket, its token.

    Args:
        workspace: of its own, made by `aar_host.sandbox.new_workspace`.
        places: path in the box → directory that it holds read-only: /data, the public bundle, and
            /forum, which the host goes on writing; no other data of the host.
        socket: the host's unix socket.
        token: of this researcher.
        seconds: that the box may live.
    """
    limits = Limits(
        memory_bytes=number("job_memory_mb") << 20,
        wall_seconds=seconds,
        cpu_seconds=seconds,
        pids=number("job_pids"),
        disk_bytes=number("job_disk_mb") << 20,
    )
    return BoxSpec(workspace, limits, places, {HOST_SOCKET: socket}, {"AAR_TOKEN": token})


class BoxStation:
    """See `base.Station`. One thread works at it; any thread may close it.

    Args:
        seat: who sits there.
        sandbox: where the box is started, at the first command.
        spec: of the box; see `seat_spec`.
        listen: called with (name, state, facts) at every report.
        terms: how the box is used.
    """

    def __init__(
        self, seat: Seat, sandbox: Sandbox, spec: BoxSpec, listen: Listen, terms: Terms = Terms()
    ) -> None:
        if terms.line is not None:
            spec = agent_spec(spec)  # its workspace holds the files of an agent
        self._seat, self._sandbox, self._spec = seat, sandbox, spec
        self._listen, self._terms = listen, terms
        self._command = list(terms.command) or [*box_python(), "-m", "aar_lab.cli", "shell"]
        self._talking = threading.Lock()
        self._closed = threading.Event()
        self._box: Box | None = None
        self._deaths = 0

    @property
    def name(self) -> str:
        """See `base.Station`."""
        return self._seat.name

    @property
    def direction(self) -> Direction:
        """See `base.Station`."""
        return self._seat.direction

    @property
    def seed(self) -> int:
        """See `base.Station`."""
        return self._seat.seed

    @property
    def model(self) -> str | None:
        """See `base.Station`."""
        return None if self._terms.line is None else self._terms.line.model

    @property
    def wire(self) -> Wire | None:
        """See `base.Station`."""
        return None if self._terms.line is None else self._terms.line.wire

    def lab(self, *words: str) -> dict[str, Any]:
        """See `base.Station`."""
        line = shlex.join(words)
        if "\n" in line or "\r" in line:
            raise BadInput(f"{line!r:.80}", "a command is one line", "Replace the line breaks.")
        with self._talking:
            raw = self._ask(self._living_box(), line)
        return _result(line, raw)

    def write(self, relative: str, text: str) -> None:
        """See `base.Station`."""
        put_file(self._spec.workspace, relative, text.encode())

    def read(self, relative: str) -> str:
        """See `base.Station`."""
        content = read_workspace_file(self._spec.workspace, relative, MAX_FILE_BYTES)
        return content.decode("utf-8", errors="replace")

    def report(self, state: str, **facts: Any) -> None:
        """See `base.Station`."""
        self._listen(self.name, state, facts)

    def calls(self, since: int = 0) -> Sequence[CallNote]:
        """See `base.Station`."""
        return () if self._terms.line is None else self._terms.line.calls(since)

    def session(self, launch: Launch, watch: Watch) -> SessionEnd:
        """See `base.Station`. Meanwhile there is no other box at this seat."""
        with self._talking:
            self._bury()
            self._check_open()
            for relative, text in launch.files.items():
                self.write(relative, text)
            ground = Ground(self._sandbox, self._spec, self._terms.line)
            box, stdin = start_session(ground, launch)
            self._box = box
            if self._closed.is_set():  # it may have been closed while the box was none yet
                box.kill()
            try:
                end = follow(box, stdin, watch)
            finally:
                self._box = None
                box.kill()
        return replace(end, cut=Cut.STOPPED) if self._closed.is_set() else end

    def close(self) -> None:
        """End the box and every command in it, now; the workspace stays. Idempotent."""
        self._closed.set()
        box = self._box
        if box is not None:
            box.kill()
        with self._talking:
            self._bury()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise Unavailable(self.name, "its seat is closed", "The campaign is over.")

    def _living_box(self) -> Box:
        self._check_open()
        if self._box is None:
            if self._deaths > self._terms.restarts:
                raise Unavailable(
                    self.name, f"its box died {self._deaths} times", "See the events of the ledger."
                )
            self._box = self._sandbox.start(self._command, self._spec)
            if self._deaths:
                self.report("restarted", restarts=self._deaths)
        return self._box

    def _ask(self, box: Box, line: str) -> bytes:
        """The answer to a line; a box that does not give one in time, or at all, is ended."""
        late = threading.Event()

        def end() -> None:
            late.set()
            box.kill()

        timer = threading.Timer(self._terms.deadline, end)
        timer.daemon = True
        timer.start()
        answer = b""
        try:
            with suppress(BrokenPipeError):
                box.stdin.write(line.encode() + b"\n")
                box.stdin.flush()
                answer = box.stdout.readline(MAX_ANSWER_BYTES)
        finally:
            timer.cancel()
        if not answer.endswith(b"\n"):
            raise self._lost(line, late.is_set())
        return answer

    def _lost(self, line: str, late: bool) -> LabError:
        self._deaths += 1
        status, log = self._bury()
        if self._closed.is_set():
            return Unavailable(self.name, "its seat was closed", "The campaign is over.")
        if late:
            status = JobStatus.TIMEOUT
        self.report("box_lost", command=line[:MAX_LOG], status=status.value, log=log[-MAX_LOG:])
        return JobFailed(
            line.split(" ", 1)[0],
            f"the box ended during the command ({status.value})",
            "The next command starts it again.",
            status.value,
        )

    def _bury(self) -> tuple[JobStatus, str]:
        """End the box, if there is one, and close its pipes."""
        box, self._box = self._box, None
        if box is None:
            return JobStatus.CANCELLED, ""
        # A box that closed its output is about to end by itself, and then says why.
        with suppress(TimeoutError):
            box.wait(0.5)
        box.kill()
        for pipe in (box.stdin, box.stdout):
            with suppress(BrokenPipeError):
                pipe.close()
        exit_ = box.wait()
        return exit_.status, exit_.log


def _result(line: str, raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
        code, output = answer["exit"], answer["output"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise JobFailed(
            f"{raw[:80]!r}", "not an answer of `lab shell`", "Look at the box.", "bad_output"
        ) from error
    fault = output.get("error") if isinstance(output, dict) else None
    if code != 0:
        body = fault if isinstance(fault, dict) else {}
        raise from_dict({"value": line[:80], **{k: str(v) for k, v in body.items()}})
    if not isinstance(output, dict):
        raise JobFailed(line[:80], "its output is no JSON object", "Look at the box.", "bad_output")
    return output
