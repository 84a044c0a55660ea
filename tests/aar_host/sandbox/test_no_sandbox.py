"""Plain processes behind the same protocol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aar_host.sandbox import HOST_SOCKET, BoxSpec, Limits, box_python, make_sandbox, run
from aar_lab.types import JobStatus

LIMITS = Limits(256 << 20, wall_seconds=10, cpu_seconds=10, pids=32, disk_bytes=8 << 20)


def test_paths_of_a_box_are_links_below_its_root(tmp_path):
    work, data = tmp_path / "work", tmp_path / "data"
    work.mkdir()
    data.mkdir()
    (data / "x").write_text("6")
    code = (
        "import os, sys, aar_lab\n"
        "root = os.environ['AAR_BOX_ROOT']\n"
        "open(root + '/workspace/y', 'w').write(open(root + '/data/x').read() * 2)\n"
        "sys.exit(root)"
    )
    sandbox = make_sandbox("none")
    done = run(sandbox, [*box_python(), "-c", code], BoxSpec(work, LIMITS, {"/data": data}))
    assert sandbox.name == "none"
    assert (work / "y").read_text() == "66"
    assert not Path(done.log.strip()).exists()


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        ("", {}, JobStatus.DONE),
        ("1 / 0", {}, JobStatus.CRASHED),
        ("import time; time.sleep(20)", {"wall_seconds": 0.3}, JobStatus.TIMEOUT),
        ("while True: pass", {"cpu_seconds": 1}, JobStatus.TIMEOUT),
        ("bytearray(3 << 30)", {}, JobStatus.OUT_OF_MEMORY),
        ("open('x', 'wb').write(bytes(9 << 20))", {}, JobStatus.DISK_FULL),
    ],
)
def test_statuses(tmp_path, code, limits, status):
    spec = BoxSpec(tmp_path, replace(LIMITS, **limits))
    assert run(make_sandbox("none"), [*box_python(), "-c", code], spec).status is status


def test_kill(tmp_path):
    box = make_sandbox("none").start(["/bin/sleep", "20"], BoxSpec(tmp_path, LIMITS))
    box.kill()
    assert box.wait().status is JobStatus.CANCELLED


def test_the_socket_is_named_where_it_is_mirrored(tmp_path):
    work, socket = tmp_path / "work", tmp_path / "outer.sock"
    work.mkdir()
    socket.write_text("knock")
    code = "import sys; from aar_lab.box import SOCKET; sys.exit(open(SOCKET.value).read())"
    spec = BoxSpec(work, LIMITS, sockets={HOST_SOCKET: socket})
    assert run(make_sandbox("none"), [*box_python(), "-c", code], spec).log == "knock\n"
