"""Each attack first succeeds as a plain process, and then fails in a box."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aar_host.sandbox import BoxSpec, box_python, read_workspace_file, run
from aar_host.sandbox.bubblewrap import Bubblewrap
from aar_lab.errors import BadInput
from aar_lab.types import JobStatus

ROOT = os.getuid() == 0


@contextmanager
def bystander(word: str, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A process of the host with `word` in its command line."""
    command = ["/bin/sh", "-c", f"read line; : {word}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
        yield
        process.kill()


def test_a_secret_of_the_host(tmp_path, inside, outside):
    vault = tmp_path / "vault"
    vault.mkdir(mode=0o700)
    secret = vault / "labels.jsonl"
    secret.write_text("the truth")
    assert outside("read_file", secret).stdout == "the truth"
    assert inside("read_file", secret).status is JobStatus.CRASHED


def test_other_processes(inside, outside):
    word = f"bystander{os.getpid()}"
    with bystander(word):
        assert outside("see_process", word[::-1]).returncode == 0
        assert inside("see_process", word[::-1]).code == 1


def test_the_environment_of_host_and_launcher(inside, outside, monkeypatch):
    word = f"key{os.getpid()}"
    monkeypatch.setenv("AAR_SECRET", word)
    with bystander("", {"AAR_SECRET": word}):
        assert outside("read_environment", word[::-1]).returncode == 0
        assert inside("read_environment", word[::-1]).code == 1


def test_a_server_on_loopback(inside, outside):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(b"hello")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        port = server.getsockname()[1]
        assert outside("reach_tcp", port).stdout == "hello"
        thread.join()
        assert inside("reach_tcp", port).status is JobStatus.CRASHED


def test_writing_outside(tmp_path, inside, outside):
    place = tmp_path / "planted"
    assert outside("write_file", place, "x").returncode == 0
    place.unlink()
    assert inside("write_file", place, "x").status is JobStatus.CRASHED
    assert not place.exists()


@pytest.mark.parametrize("place", ["/usr/x", "/x", "/opt/lab/x", "/attacks/x", "/etc/x", "/root/x"])
def test_the_box_is_read_only_but_for_its_workspace(inside, place):
    assert inside("write_file", place, "x").status is JobStatus.CRASHED
    assert inside("write_file", "/workspace/x", "x").status is JobStatus.DONE


def test_fork_bomb(inside_either, outside):
    assert outside("fork_bomb", 60).returncode == 0
    bombed = inside_either("fork_bomb", 60, pids=32)
    assert bombed.status is JobStatus.CRASHED
    assert "BlockingIOError" in bombed.log
    assert inside_either("fork_bomb", 8, pids=32).status is JobStatus.DONE


def test_memory_bomb(inside_either, outside):
    assert outside("memory_bomb", 4, 40).returncode == 0
    bombed = inside_either("memory_bomb", 4, 40, memory_bytes=100 << 20)
    assert bombed.status is JobStatus.OUT_OF_MEMORY
    assert inside_either("memory_bomb", 4, 4, memory_bytes=100 << 20).status is JobStatus.DONE


def test_outliving_the_job(tmp_path, workspace, inside_either, outside):
    trace = tmp_path / "trace"
    assert outside("outlive", trace, 0.3).returncode == 0
    assert inside_either("outlive", "/workspace/trace", 0.3).status is JobStatus.DONE
    time.sleep(0.8)
    assert trace.exists()
    assert not (workspace / "trace").exists()


def test_tracing(inside, outside):
    assert outside("trace").returncode == 0
    assert inside("trace").code == 1


def test_kernel_parameters(inside, outside):
    assert (outside("write_kernel").returncode == 0) is ROOT  # only root could do harm here
    assert inside("write_kernel").status is JobStatus.CRASHED


@pytest.mark.parametrize(
    "call",
    [
        "user namespace",
        "clone with namespace",
        "shared memory",
        "semaphores",
        "message queue",
        "personality",
        "netlink",
        "limits of another",
        "affinity of another",
        "scheduler of another",
        "priority",
    ],
)
def test_system_calls(inside, outside, call):
    assert outside("call_kernel", call).returncode == 0
    assert inside("call_kernel", call).status is JobStatus.CRASHED


def test_the_package_of_the_host(inside, outside):
    assert outside("import_host").returncode == 0
    assert "No module named 'aar_host" in inside("import_host").log


def test_a_link_for_the_host_to_follow(tmp_path, workspace, inside):
    secret = tmp_path / "labels"
    secret.write_text("the truth")
    assert inside("plant_link", "/workspace/result.json", secret).status is JobStatus.DONE
    assert (workspace / "result.json").read_text() == "the truth"
    with pytest.raises(BadInput):
        read_workspace_file(workspace, "result.json", 100)


@pytest.mark.parametrize("how", ["one", "many", "deleted"])
def test_filling_the_disk(tmp_path, inside_either, outside, how):
    assert outside("fill_disk", tmp_path, 12, how).returncode == 0
    assert inside_either("fill_disk", "/workspace", 12, how).status is JobStatus.DISK_FULL


def test_nothing_of_the_host_is_open_in_a_box(sandbox: Bubblewrap, spec: BoxSpec):
    code = "import os, sys; sys.exit(str(sorted(map(int, os.listdir('/proc/self/fd')))))"
    assert run(sandbox, [*box_python(), "-c", code], spec).log.strip() == "[0, 1, 2, 3]"


def test_the_box_has_a_uid_of_its_own(sandbox: Bubblewrap, spec: BoxSpec, workspace: Path):
    code = "import os, sys; sys.exit(str((os.getuid(), os.getgid(), os.getgroups())))"
    owner = workspace.stat().st_uid
    uid, gid = (owner, owner) if ROOT else (os.getuid(), os.getgid())
    log = run(sandbox, [*box_python(), "-c", code], spec).log
    assert log.startswith(f"({uid}, {gid}, ")
    assert not ROOT or uid != 0
