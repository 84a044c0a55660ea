"""The relay as boxes run it: a process, a real socket at each side."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading

import pytest

ASK = """
import socket, sys
with socket.create_connection(("127.0.0.1", {port})) as there:
    there.sendall(b"x" * {size})
    there.shutdown(socket.SHUT_WR)
    answer = b""
    while chunk := there.recv(65536):
        answer += chunk
sys.exit(0 if answer == b"y" * {size} else 3)
"""


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


@pytest.fixture
def host(tmp_path):
    """A host that answers every byte with a `y`; the path of its socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "model.sock"))
    listener.listen()

    def answer(connection):
        with connection:
            while chunk := connection.recv(65536):
                connection.sendall(b"y" * len(chunk))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield str(tmp_path / "model.sock")
    listener.close()


def relay(*words):
    return subprocess.run(
        [sys.executable, "-m", "aar_lab.relay", *words],
        capture_output=True,
        timeout=20,
        check=False,
    )


def test_it_carries_both_ways(port, host):
    ask = ASK.format(port=port, size=3 << 20)
    assert relay(port, host, sys.executable, "-c", ask).returncode == 0


def test_several_connections_at_once(port, host):
    ask = ASK.format(port=port, size=1000)
    many = f"""
import subprocess, sys
them = [subprocess.Popen([sys.executable, "-c", {ask!r}]) for _ in range(4)]
sys.exit(sum(one.wait() for one in them))
"""
    assert relay(port, host, sys.executable, "-c", many).returncode == 0


def test_without_a_host_connections_end_and_the_program_goes_on(port, tmp_path):
    ask = ASK.format(port=port, size=1)
    done = relay(port, str(tmp_path / "absent.sock"), sys.executable, "-c", ask)
    assert done.returncode in (1, 3)


@pytest.mark.parametrize(
    ("program", "code"),
    [("import sys; sys.exit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)],
)
def test_it_ends_as_its_program(port, host, program, code):
    assert relay(port, host, sys.executable, "-c", program).returncode == code


def test_what_the_program_prints_and_reads_passes(port, host):
    program = "import sys; print(sys.stdin.read(), end='')"
    done = subprocess.run(
        [sys.executable, "-m", "aar_lab.relay", port, host, sys.executable, "-c", program],
        input=b"words",
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.stdout == b"words"


def test_a_signal_reaches_the_program(port, host):
    program = "import time; print('up', flush=True); time.sleep(60)"
    running = subprocess.Popen(
        [sys.executable, "-m", "aar_lab.relay", port, host, sys.executable, "-c", program],
        stdout=subprocess.PIPE,
    )
    assert running.stdout.readline() == b"up\n"
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 128 + signal.SIGTERM
    running.stdout.close()


@pytest.mark.parametrize("words", [(), ("1", "s"), ("port", "s", "true")])
def test_wrong_usage(words):
    done = relay(*words)
    assert done.returncode == 2
    assert b"usage" in done.stderr


def test_a_program_that_is_not_there(port, host):
    done = relay(port, host, "/absent/agent")
    assert done.returncode == 127
    assert b"/absent/agent: No such file" in done.stderr


def test_a_port_that_is_taken(port, host):
    with socket.create_server(("127.0.0.1", int(port))):
        done = relay(port, host, "true")
    assert done.returncode == 125
    assert b"relay: " in done.stderr
