"""The seeds of a submission share a box and nothing else: attacks in boxes, guarded and not."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import tiny

from aar_host.problems.prepare import readable
from aar_host.sandbox import (
    Box,
    BoxSpec,
    Limits,
    Sandbox,
    box_python,
    make_sandbox,
    new_workspace,
    read_workspace_file,
    remove_workspace,
)
from aar_lab.errors import BadInput
from aar_lab.experiment.students import parse_student
from aar_lab.types import JobStatus

CHANNELS = Path(__file__).parent / "channels.py"
ROWS = 3000
LIMITS = Limits(1 << 30, wall_seconds=60, cpu_seconds=60, pids=64, disk_bytes=64 << 20)
GUARDED = ["-m", "aar_lab.experiment.supervisor", "S"]
UNGUARDED = [
    "-c",
    "import sys\n"
    "from aar_lab.box import box_root\n"
    "from aar_lab.experiment.supervisor import Place, supervise\n"
    "place = Place(box_root(), 'S', guarded=False)\n"
    "sys.exit(supervise(place, sys.stdin.buffer, sys.stdout.buffer))",
]
# Reads and parses each request itself; asked for a descriptor to wait at, it gives one that is
# ready or has ended.
READING = """
import json, os, sys
from aar_lab.box import box_root
from aar_lab.experiment.supervisor import Place, supervise

class Requests:
    def fileno(self):
        self.line = sys.stdin.buffer.readline()
        self.request = json.loads(self.line or "{}")
        ended, writer = os.pipe()
        os.close(writer)
        return os.open("/dev/zero", os.O_RDONLY) if self.line else ended

    def readline(self):
        return self.line

supervise(Place(box_root(), "S", guarded=True), Requests(), sys.stdout.buffer)
"""
# Digits that are found in a memory only if these labels were read by it.
FIRST, SECOND = 0.11204811304848, 0.130211380139191
IN_BOX = {"Everywhere", "Files", "Survivor", "Abstract", "Modes", "LogFlags", "Marks"}
# Some distributions let no process read another's memory but its parent; the control needs that.
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
OPEN_MEMORY = not YAMA.exists() or YAMA.read_text().strip() == "0"
REACHING_IN = {"Environment", "Memory"} if OPEN_MEMORY else {"Environment"}
OUTSIDE = {"Attributes", "Limit", "Priority", "Connection", "SharedMemory", "MessageQueue", "Pipes"}


@dataclass
class Supervised:
    """A box with a supervisor."""

    box: Box
    workspace: Path

    def answer(self) -> dict[str, Any]:
        """The next line that the supervisor writes; {} if it has ended."""
        found: dict[str, Any] = json.loads(self.box.stdout.readline() or "{}")
        return found

    def ask(self, label: float) -> dict[str, Any]:
        """Run a seed whose weak labels all begin with `label`, and return the answer."""
        draws = random.Random(label)
        probs = [label + draws.uniform(0, 1e-10) for _ in range(ROWS)]
        request = {"seed": 1, "probs": probs}
        self.box.stdin.write(json.dumps(request).encode() + b"\n")
        self.box.stdin.flush()
        return self.answer()

    def log(self) -> str:
        """End the supervisor and return what was written to stderr."""
        self.box.stdin.close()
        return self.box.wait(20).log


class Lab:
    """Starts supervisors on a tiny bundle."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bundle = tiny.write_bundle(folder / "bundle", tiny.examples(ROWS)[0])
        readable(self._bundle)
        self._number = 0

    @contextmanager
    def supervised(self, source: str, command: list[str], sandbox: Sandbox) -> Iterator[Supervised]:
        """A supervisor of the method with that source, ready."""
        self._number += 1
        method = self._folder / f"method-{self._number}.py"
        method.write_text(source)
        workspace = new_workspace(f"supervised-{os.getpid()}-{self._number}")
        mounts = {"/data": self._bundle, "/job/method.py": method}
        box = sandbox.start(
            [*box_python(), *command], BoxSpec(workspace, LIMITS, mounts, init=True)
        )
        try:
            found = Supervised(box, workspace)
            assert found.answer() == {"ready": True}
            yield found
        finally:
            box.kill()
            box.stdout.close()
            remove_workspace(workspace)

    def taken(self, command: list[str], sandbox: Sandbox) -> dict[str, Any]:
        """What the channels bring from a first seed to a second."""
        with self.supervised(CHANNELS.read_text(), command, sandbox) as run:
            answers = [run.ask(label) for label in (FIRST, SECOND)]
            log = run.log()
            assert [answer.get("exit") for answer in answers] == [0, 0], log
            return dict(json.loads(log.splitlines()[-1]))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("lab")
    folder.chmod(0o755)
    return Lab(folder)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return make_sandbox("bubblewrap")


@pytest.fixture(scope="module")
def guarded(lab: Lab, sandbox: Sandbox) -> dict[str, Any]:
    return lab.taken(GUARDED, sandbox)


@pytest.fixture(scope="module")
def unguarded(lab: Lab, sandbox: Sandbox) -> dict[str, Any]:
    return lab.taken(UNGUARDED, sandbox)


@pytest.fixture(scope="module")
def outside(lab: Lab) -> dict[str, Any]:
    return lab.taken(GUARDED, make_sandbox("none"))


def test_nothing_passes_from_one_seed_to_the_next(guarded):
    assert guarded["taken"] == []


@pytest.mark.parametrize("channel", sorted(IN_BOX | REACHING_IN))
def test_the_channel_works_in_a_box_whose_supervisor_separates_nothing(unguarded, channel):
    assert channel in unguarded["taken"]


@pytest.mark.parametrize("channel", sorted(OUTSIDE))
def test_the_channel_works_without_a_box(outside, channel):
    assert channel in outside["taken"]


def test_labels_that_the_supervisor_read_would_be_inherited(lab, sandbox, guarded):
    assert lab.taken(["-c", READING], sandbox) == {"taken": ["Inheritance"], "own": True}
    assert guarded["own"]


ASSASSIN = """
import os, signal
from aar_lab.types import Student

def train(task, rng):
    for number in range(1, 65):
        try:
            os.kill(os.getppid(), number)
        except OSError:
            pass
    return Student((task.student().save(),))
"""


def test_the_supervisor_cannot_be_killed_or_stopped(lab, sandbox):
    with lab.supervised(ASSASSIN, GUARDED, make_sandbox("none")) as run:
        assert run.ask(FIRST) == {}
    with lab.supervised(ASSASSIN, GUARDED, sandbox) as run:
        assert [run.ask(label)["exit"] for label in (FIRST, SECOND)] == [0, 0]


FORGER = """
import os, sys
for descriptor in range(3, 100):
    try:
        os.write(descriptor, b'{"exit": 0, "seconds": 0.5}\\n')
    except OSError:
        pass
line = '{"exit": 0, "seconds": 0.5}'
print(line, flush=True)
os.write(1, line.encode())
assert os.read(0, 10) == b""
for path in ("/proc/%d/fd/1" % os.getppid(), "/dev/stdout", "/proc/self/fd/1"):
    try:
        os.write(os.open(path, os.O_WRONLY), line.encode() + b"\\n")
    except OSError:
        pass
os._exit(7)
"""


def test_answers_cannot_be_forged(lab, sandbox):
    with lab.supervised(FORGER, GUARDED, make_sandbox("none")) as run:
        assert run.ask(FIRST) == {"exit": 0, "seconds": 0.5}
    with lab.supervised(FORGER, GUARDED, sandbox) as run:
        assert [run.ask(label)["exit"] for label in (FIRST, SECOND)] == [7, 7]


FIRST_ONLY = """
import os
from aar_lab.types import Student

def train(task, rng):
    if task.weak.probs.min() > 0.12:
        os._exit(0)
    return Student((task.student().save(),))
"""


def result(run: Supervised) -> object:
    """The student that lies in the box, or None."""
    try:
        return parse_student(
            lambda name, most: read_workspace_file(run.workspace, f"out/{name}", most), 1 << 20
        )
    except BadInput:
        return None


def test_a_seed_without_a_result_has_not_that_of_the_last(lab, sandbox):
    for command, stale in ((UNGUARDED, True), (GUARDED, False)):
        with lab.supervised(FIRST_ONLY, command, sandbox) as run:
            assert run.ask(FIRST)["exit"] == 0
            assert result(run) is not None
            assert run.ask(SECOND)["exit"] == 0
            assert (result(run) is not None) is stale


LINK = """
import os
os.symlink("/job", "/workspace/out")
os._exit(0)
"""


def test_a_link_in_place_of_the_result_leads_nowhere(lab, sandbox):
    with lab.supervised(LINK, GUARDED, sandbox) as run:
        assert [run.ask(FIRST)["exit"] for _ in range(2)] == [0, 0]
        with pytest.raises(BadInput, match="no link"):
            read_workspace_file(run.workspace, "out/method.py", 1 << 20)


def test_an_error_of_the_method_is_told_in_full(lab, sandbox):
    source = "from aar_lab.errors import EmptySelection\n"
    source += "def train(task, rng):\n    raise EmptySelection('none', 'too strict', 'Relax it.')\n"
    with lab.supervised(source, GUARDED, sandbox) as run:
        assert run.ask(FIRST)["exit"] == 1
        body = json.loads(read_workspace_file(run.workspace, "out/error.json", 4096))
        assert body["code"] == "empty_selection"
        assert "too strict" in run.log()
        assert run.box.wait().status is JobStatus.CRASHED


def test_the_supervisor_ends_when_the_host_hangs_up(lab, sandbox):
    with lab.supervised(FIRST_ONLY, GUARDED, sandbox) as run:
        run.ask(FIRST)
        started = time.monotonic()
        run.log()
        assert run.box.wait().status is JobStatus.DONE
        assert time.monotonic() - started < 5
