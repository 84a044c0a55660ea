"""Boxes that start, end by themselves, pass a limit, or are killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.sandbox import (
    HOST_SOCKET,
    BoxSpec,
    Exit,
    box_python,
    make_sandbox,
    put_file,
    read_workspace_file,
    run,
)
from aar_host.sandbox.box import harmless
from aar_host.sandbox.bubblewrap import Bubblewrap
from aar_host.sandbox.runtime import find_runtime
from aar_lab.errors import BadSettings, Unavailable, UnknownName
from aar_lab.types import JobStatus


def python(sandbox: Bubblewrap, spec: BoxSpec, code: str, **limits: float) -> Exit:
    """Run Python code in a box, with some limits changed."""
    changed = replace(spec, limits=replace(spec.limits, **limits))
    return run(sandbox, [*box_python(), "-c", code], changed)


def processes_with(word: str) -> list[str]:
    """Processes of the whole machine with a word in their command line."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [line for line in lines if word in line]


def groups_of(pid):
    """Control groups of the boxes that a process started."""
    return list(Path("/sys/fs/cgroup").glob(f"**/aar-box-{pid}-*"))


def wait_for(condition, seconds=5.0):
    """Whether the condition becomes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_the_usual_start():
    sandbox = make_sandbox("bubblewrap")
    assert sandbox.name == "bubblewrap"


def test_an_unknown_sandbox():
    with pytest.raises(UnknownName):
        make_sandbox("jail")


def test_no_bubblewrap_on_this_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="apt-get install bubblewrap"):
        make_sandbox("bubblewrap")


def test_boxes_that_cannot_start_are_told_at_once(workspace):
    runtime = find_runtime()
    mounts = {place: path for place, path in runtime.mounts.items() if "/opt/" not in place}
    with pytest.raises(Unavailable, match="No module named 'aar_lab'"):
        Bubblewrap(None, replace(runtime, mounts=mounts)).check(workspace)


def test_streams_files_and_environment(either, spec, workspace):
    put_file(workspace, "in/question", b"6 * 7")
    code = (
        "import os, sys; question = open('in/question').read(); "
        "open('in/answer', 'w').write(str(eval(question))); "
        "print(sys.stdin.readline().strip(), os.environ['COLOUR'], os.environ['HOME'])"
    )
    box = either.start([*box_python(), "-c", code], replace(spec, environment={"COLOUR": "green"}))
    box.stdin.write(b"hello\n")
    box.stdin.close()
    assert box.stdout.read() == b"hello green /workspace\n"
    done = box.wait()
    assert (done.status, done.code, done.log) == (JobStatus.DONE, 0, "")
    assert read_workspace_file(workspace, "in/answer", 100) == b"42"
    assert done.peak_memory is None or done.peak_memory > 0


def test_dependencies_are_there(sandbox, spec):
    done = python(sandbox, spec, "import aar_lab.types, numpy, safetensors, sys; sys.exit('ok')")
    assert done.log == "ok\n"


def test_the_socket_is_the_only_road_out(sandbox, spec, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o666)
        server.listen()
        code = (
            "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect('/run/host.sock'); "
            "sys.exit(s.recv(9).decode())"
        )
        thread = threading.Thread(target=lambda: server.accept()[0].sendall(b"here"))
        thread.start()
        assert python(sandbox, replace(spec, sockets={HOST_SOCKET: path}), code).log == "here\n"
        thread.join()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143),
    ],
)
def test_a_crash_keeps_its_code(either, spec, code, expected):
    done = python(either, spec, code)
    assert (done.status, done.code) == (JobStatus.CRASHED, expected)


def test_wall_time(either, spec):
    done = python(either, spec, "import time; time.sleep(20)", wall_seconds=0.4)
    assert (done.status, done.code) == (JobStatus.TIMEOUT, None)
    assert 0.4 <= done.wall_seconds < 2


@pytest.mark.parametrize("children", [0, 2])
def test_processor_time_of_the_whole_tree(either, spec, children):
    code = f"import os\nfor _ in range({children}): os.fork() or exec('while True: pass')\n"
    code += "while True: pass" if not children else "os.wait()"
    done = python(either, spec, code, cpu_seconds=1)
    assert done.status is JobStatus.TIMEOUT
    assert 1 <= done.cpu_seconds < 3


def test_one_huge_allocation(either, spec):
    done = python(either, spec, "b = bytearray(2 << 30)", memory_bytes=100 << 20)
    assert done.status is JobStatus.OUT_OF_MEMORY


def test_a_flood_of_errors_keeps_its_end(sandbox, spec):
    code = "import sys; sys.stderr.write('x' * 3_000_000 + 'the end\\n'); sys.exit(1)"
    done = python(sandbox, spec, code, log_bytes=1000)
    assert len(done.log) == 1000
    assert done.log.endswith("xthe end\n")


def test_a_flood_of_output_is_read_away(sandbox, spec):
    done = python(sandbox, spec, "import sys; sys.stdout.write('x' * 20_000_000)")
    assert done.status is JobStatus.DONE


def test_unread_output_makes_the_box_wait(sandbox, spec):
    box = sandbox.start(
        ["/usr/bin/yes"], replace(spec, limits=replace(spec.limits, wall_seconds=0.5))
    )
    assert box.wait().status is JobStatus.TIMEOUT
    assert box.wait().cpu_seconds < 0.4


@pytest.mark.parametrize("init", [False, True])
def test_kill_removes_every_process(either, spec, init):
    word = f"sleeper{os.getpid()}"
    code = (
        "import os, signal, sys, time; os.fork(); os.fork(); os.fork() or os.setsid(); "
        f"signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60) # {word}"
    )
    box = either.start([*box_python(), "-c", code], replace(spec, init=init))
    for _ in range(8):
        box.stdout.readline()
    assert len(processes_with(word)) >= 8
    box.kill()
    box.kill()
    assert wait_for(lambda: not processes_with(word))
    assert box.wait().status is JobStatus.CANCELLED


def test_kill_after_the_end_changes_nothing(sandbox, spec):
    box = sandbox.start(["/usr/bin/true"], spec)
    assert box.wait().status is JobStatus.DONE
    box.kill()
    assert box.wait().status is JobStatus.DONE


def test_wait_may_give_up(sandbox, spec):
    box = sandbox.start(["/usr/bin/sleep", "20"], spec)
    with pytest.raises(TimeoutError):
        box.wait(0.05)
    box.kill()


def test_init_is_process_one_and_may_end_all_others(either, spec):
    code = (
        "import os, signal, sys, time\n"
        "child = os.fork() or time.sleep(60)\n"
        "os.kill(-1, signal.SIGKILL)\n"
        "sys.exit(f'{os.getpid()} {os.waitpid(child, 0)[1]}')"
    )
    done = python(either, replace(spec, init=True), code)
    assert done.log == "1 9\n"


def test_a_box_outlives_the_thread_that_started_it(sandbox, spec):
    boxes = []
    thread = threading.Thread(
        target=lambda: boxes.append(sandbox.start(["/usr/bin/sleep", "0.3"], spec))
    )
    thread.start()
    thread.join()
    assert boxes[0].wait().status is JobStatus.DONE


def test_a_host_that_ends_takes_its_boxes_along(workspace):
    code = (
        "import sys; from pathlib import Path; from aar_host.sandbox import *\n"
        "spec = BoxSpec(Path(sys.argv[1]), Limits(1 << 28, 60, 60, 32, 1 << 20))\n"
        "make_sandbox('bubblewrap').start(['/usr/bin/sleep', '60'], spec)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(workspace)], check=True, timeout=15)


def test_a_box_dies_with_its_host(workspace):
    word = f"orphan{os.getpid()}"
    code = (
        "import sys, time; from pathlib import Path\n"
        "from aar_host.sandbox import *\n"
        "spec = BoxSpec(Path(sys.argv[1]), Limits(1 << 28, 60, 60, 32, 1 << 20))\n"
        "sandbox = make_sandbox('bubblewrap')\n"
        "box = sandbox.start([*box_python(), '-c', 'import time; print(flush=True); '"
        "                    'time.sleep(60)', sys.argv[2]], spec)\n"
        "box.stdout.readline(); print('running', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(workspace), word]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as host:
        assert host.stdout.readline() == b"running\n"
        assert len(processes_with(word)) >= 2
        host.send_signal(signal.SIGKILL)
    assert wait_for(lambda: not processes_with(word))
    # A group can be removed only once the kernel has reaped the last of its processes.
    assert wait_for(lambda: make_sandbox("bubblewrap") and not groups_of(host.pid))


def test_a_missing_mount_is_refused(sandbox, spec, tmp_path):
    with pytest.raises(BadSettings):
        sandbox.start(["/usr/bin/true"], replace(spec, read_only={"/data": tmp_path / "absent"}))


def test_data_below_closed_folders(sandbox, spec, tmp_path):
    data = tmp_path / "closed" / "data"
    data.parent.mkdir(mode=0o700)
    data.mkdir()
    (data / "x").write_text("public")
    code = "import sys; sys.exit(open('/data/x').read())"
    done = python(sandbox, replace(spec, read_only={"/data": data}), code)
    assert done.log == "public\n"


@given(st.binary(max_size=200))
def test_logs_cannot_steer_a_terminal(raw):
    text = harmless(raw)
    assert all(char in "\n\t" or (char.isprintable() or ord(char) > 0x9F) for char in text)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_harmless_keeps_plain_text():
    assert harmless("naïve\tlabels\n\x1b[2J".encode()) == "naïve\tlabels\n\\x1b[2J"
