"""Whatever a method does, its submission ends with a status and a reason, and the others go on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from tests.aar_host.jobs.conftest import GOOD

from aar_host.store import Tier
from aar_host.store.jobs import MAX_LOG, jobs_of
from aar_host.store.scores import scores_of
from aar_host.store.submissions import UNFINISHED, method_source
from aar_lab.types import JobStatus

CRASHED, BAD_OUTPUT = JobStatus.CRASHED, JobStatus.BAD_OUTPUT
WRITE = """
import json, os, sys
import numpy as np
from pathlib import Path
from safetensors.numpy import save
from aar_lab.experiment.students import write_student
from aar_lab.types import Student

OUT = Path("/workspace/out")

def put(task, change=lambda w: w, **recipe):
    OUT.mkdir()
    weights = change(dict(task.student().save()))
    (OUT / "member-0.safetensors").write_bytes(save(weights))
    (OUT / "recipe.json").write_text(json.dumps(recipe))
    os._exit(0)

def train(task, rng):
"""


@dataclass(frozen=True)
class Case:
    """A method's body, how it ends, a word of the reason (or log), and tighter settings."""

    body: str
    status: JobStatus
    word: str
    settings: dict[str, str] = field(default_factory=dict)


CASES = {
    "syntax": Case("    exec('def (')", CRASHED, "SyntaxError"),
    "exception": Case("    1 / 0", CRASHED, "ZeroDivisionError"),
    "exit": Case("    sys.exit(0)", CRASHED, "SystemExit"),
    "nothing returned": Case("    return None", CRASHED, "NoneType"),
    "exit without result": Case("    os._exit(0)", BAD_OUTPUT, "recipe.json"),
    "endless": Case(
        "    while True: pass", JobStatus.TIMEOUT, "no answer", {"AAR_JOB_SECONDS": "2"}
    ),
    "memory": Case(
        "    held = [bytearray(b'x' * (1 << 25)) for _ in range(99)]",
        JobStatus.OUT_OF_MEMORY,
        "",
        {"AAR_JOB_MEMORY_MB": "600"},
    ),
    "forks": Case(
        "    while True:\n        try: os.fork()\n        except OSError: pass",
        JobStatus.TIMEOUT,
        "no answer",
        {"AAR_JOB_SECONDS": "2", "AAR_JOB_PIDS": "24"},
    ),
    "disk": Case(
        "    with open('/workspace/big', 'wb') as file:\n"
        "        while True: file.write(bytes(1 << 16)); file.flush()",
        JobStatus.DISK_FULL,
        "",
        {"AAR_JOB_DISK_MB": "8"},
    ),
    "log": Case(
        "    for _ in range(20): sys.stderr.write('x' * (1 << 20))\n"
        "    raise ValueError('flooded')",
        CRASHED,
        "flooded",
    ),
    "rubbish": Case(
        "    OUT.mkdir()\n"
        "    (OUT / 'member-0.safetensors').write_bytes(os.urandom(5000))\n"
        "    (OUT / 'recipe.json').write_text('{}')\n"
        "    os._exit(0)",
        BAD_OUTPUT,
        "not safetensors",
    ),
    "NaN weights": Case(
        "    put(task, lambda w: {k: v * np.float32('nan') for k, v in w.items()})",
        BAD_OUTPUT,
        "not finite",
    ),
    "NaN predictions": Case(
        "    put(task, lambda w: {k: v * 0 + np.float32(1e38) for k, v in w.items()})",
        BAD_OUTPUT,
        "a probability must be",
    ),
    "weights beyond single precision": Case(
        "    put(task, lambda w: {k: v * 0 + np.float64(1e300) for k, v in w.items()})",
        BAD_OUTPUT,
        "not finite",
    ),
    "architecture": Case(
        "    put(task, lambda w: {k: v[..., :-1].copy() for k, v in w.items()})",
        BAD_OUTPUT,
        "expected",
    ),
    "long name": Case(
        "    put(task, lambda w: {**w, 'n' * 10_000: np.zeros(1)})", BAD_OUTPUT, "unknown"
    ),
    "unknown field": Case("    put(task, code='print()')", BAD_OUTPUT, "unknown field"),
    "members": Case("    put(task, members=9)", BAD_OUTPUT, "members"),
    "members without weights": Case("    put(task, members=2)", BAD_OUTPUT, "member-1"),
    "threshold": Case("    put(task, threshold=10**400)", BAD_OUTPUT, "threshold"),
    "deep recipe": Case(
        "    write_student(OUT, Student((task.student().save(),)))\n"
        "    (OUT / 'recipe.json').write_text('[' * 4000)\n"
        "    os._exit(0)",
        BAD_OUTPUT,
        "not JSON",
    ),
    "link": Case(
        "    write_student(OUT, Student((task.student().save(),)))\n"
        "    (OUT / 'member-0.safetensors').unlink()\n"
        "    (OUT / 'member-0.safetensors').symlink_to('/data/students/S.safetensors')\n"
        "    os._exit(0)",
        BAD_OUTPUT,
        "link",
    ),
    "another's student": Case(
        "    places = [p for p in Path('/').iterdir() if p.name != 'proc']\n"
        "    found = [f for p in places for f in p.glob('**/member-*.safetensors')]\n"
        "    raise LookupError(f'found {len(found)} students')",
        CRASHED,
        "found 0 students",
    ),
    "deep error": Case(
        "    OUT.mkdir()\n    (OUT / 'error.json').write_text('[' * 4000)\n    os._exit(1)",
        CRASHED,
        "code 1",
    ),
    "odd error": Case(
        "    OUT.mkdir()\n"
        "    error = {'code': [], 'value': '\\ud800\\x1b[2J', 'fault': 'odd' * 999}\n"
        "    (OUT / 'error.json').write_text(json.dumps(error))\n"
        "    os._exit(1)",
        CRASHED,
        "odd",
    ),
}


TOLD = re.compile(r"the method ended as \w+(, [A-Z]\w+)?(, line \d+ of its source)?")


@pytest.mark.parametrize("name", CASES)
def test_a_failure_is_a_status_with_a_reason(shared, monkeypatch, name):
    case = CASES[name]
    for setting, value in {"AAR_JOB_SECONDS": "20", **case.settings}.items():
        monkeypatch.setenv(setting, value)
    source = WRITE + case.body + "\n"
    ended = shared.run(source)
    jobs = jobs_of(shared.store, ended.id, Tier.PUBLIC)
    assert ended.status is case.status, jobs[0].log
    assert [job.status for job in jobs] == [case.status, *[JobStatus.CANCELLED] * 4]
    told = str(dict(jobs[0].error)) + jobs[0].log
    assert case.word in told
    # Its author learns no word that the method chose: it has seen weak labels.
    assert TOLD.fullmatch(ended.error["fault"]), ended.error
    assert len(told) < MAX_LOG + 2000
    assert told.encode()  # nothing in it that cannot be sent
    assert "\x1b" not in told
    assert method_source(shared.store, ended.id) == source
    assert not scores_of(shared.store, [ended.id])


def test_the_good_one_after_all_of_them_is_scored(shared):
    ended = shared.run(GOOD)
    assert ended.status is JobStatus.DONE
    score = scores_of(shared.store, [ended.id])[ended.id]
    assert score["pgr"]["mean"] > 0
    assert all(0 <= accuracy <= 1 for accuracy in score["accuracy"])
    jobs = jobs_of(shared.store, ended.id, Tier.PUBLIC)
    assert not [job for job in jobs if job.status in UNFINISHED]
    assert all(set(job.seconds) == {"train", "predict", "box", "total"} for job in jobs)
