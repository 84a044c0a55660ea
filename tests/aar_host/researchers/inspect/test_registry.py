"""The sandbox that Inspect uses, in real boxes."""

from __future__ import annotations

import asyncio

import pytest
from inspect_ai.util import (
    OutputLimitExceededError,
    SandboxUserUnsupportedError,
    override_sandbox_output_limit,
)

from aar_host.researchers.inspect.boxes import Boxes
from aar_host.researchers.inspect.registry import Seats, SeatSandbox
from aar_host.sandbox import BoxSpec, Limits, new_workspace, remove_workspace
from aar_lab.errors import Conflict

LIMITS = Limits(256 << 20, wall_seconds=60, cpu_seconds=60, pids=64, disk_bytes=1 << 20)


@pytest.fixture
def place(sandbox, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "given.txt").write_text("given\r\n")
    workspace = new_workspace(f"inspect-{tmp_path.name}")
    mounts = {"/data": tmp_path / "data"}
    yield SeatSandbox(Boxes(sandbox, BoxSpec(workspace, LIMITS, mounts, {}, {"TOKEN": "t"})))
    remove_workspace(workspace)


def do(coroutine):
    return asyncio.run(coroutine)


def test_a_command(place):
    script = 'cat; echo "$A $TOKEN"; pwd; echo oh >&2; exit 3'
    done = do(place.exec(["bash", "--login", "-c", script], input="in ", env={"A": "a"}))
    assert (done.success, done.returncode) == (False, 3)
    assert (done.stdout, done.stderr) == ("in a t\n/workspace\n", "oh\n")
    assert do(place.exec(["pwd"], cwd="/data")).stdout == "/data\n"


def test_each_command_has_a_box_of_its_own(place):
    do(place.exec(["bash", "-c", "touch /tmp/left kept; sleep 30 &"]))
    left = do(place.exec(["bash", "-c", "ls /tmp; ls; pgrep sleep"]))
    assert left.stdout.split() == ["kept"]


def test_files(place):
    do(place.write_file("a/b.txt", "ünï\r\n"))
    assert do(place.read_file("a/b.txt")) == "ünï\r\n"
    assert do(place.read_file("/workspace/a/b.txt", text=False)) == "ünï\r\n".encode()
    assert do(place.read_file("/data/given.txt")) == "given\r\n"
    for path, error in (("none", FileNotFoundError), ("a", IsADirectoryError)):
        with pytest.raises(error):
            do(place.read_file(path))
    with pytest.raises(PermissionError):
        do(place.write_file("/data/given.txt", "other"))
    with pytest.raises(IsADirectoryError):
        do(place.write_file("a", "other"))


def test_limits(place):
    with pytest.raises(TimeoutError):
        do(place.exec(["sleep", "30"], timeout=1))
    with override_sandbox_output_limit(1000):
        with pytest.raises(OutputLimitExceededError) as much:
            do(place.exec(["yes"]))
        assert much.value.truncated_output.startswith("y\ny\n")
        with pytest.raises(OutputLimitExceededError):
            do(place.read_file("/usr/bin/env"))
    full = do(place.exec(["bash", "-c", "yes > full; sleep 5"]))
    assert not full.success
    assert "disk_full" in full.stderr


def test_there_is_one_user_and_no_network(place):
    with pytest.raises(SandboxUserUnsupportedError):
        do(place.exec(["true"], user="root"))
    wget = "import socket; socket.create_connection(('1.1.1.1', 80), 2)"
    assert "unreachable" in do(place.exec(["python3", "-c", wget])).stderr


def test_commands_wait_for_each_other(place):
    async def both():
        command = ["bash", "-c", "mkdir alone && sleep 0.1 && rmdir alone"]
        return await asyncio.gather(*(place.exec(command) for _ in range(3)))

    assert all(done.success for done in do(both()))


def test_outside_of_a_session():
    with pytest.raises(Conflict, match="no seat"):
        Seats.taken()
