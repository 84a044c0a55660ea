"""Listening on a unix socket, and on loopback TCP where asked for."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from aar_host.server.connections import guarded
from aar_lab.errors import BadSettings, Conflict, Unavailable

START_SECONDS = 10.0
STOP_SECONDS = 2
CONNECTIONS = 256
LOOPBACK = "127.0.0.1"


def serve(app: FastAPI, path: Path, port: int | None = None) -> None:
    """Serve until interrupted. Anybody may connect: identity comes from the token alone.

    Args:
        path: of the unix socket (mode 0666); the folder decides who can reach it.
        port: of loopback TCP as well, if given; 0 lets the system choose.

    Raises:
        BadSettings: the path is too long for a socket, or cannot be used.
        Conflict: another server answers there, or the port is taken.
    """
    sockets = _sockets(path, port)
    try:
        _server(app).run(sockets=sockets)
    finally:
        _close(sockets, path)


@contextmanager
def listening(
    app: FastAPI, path: Path, port: int | None = None, connections: int = CONNECTIONS
) -> Iterator[None]:
    """Serve from a thread of this process while the context lasts; arguments as of `serve`.

    Args:
        connections: at one time; see `aar_host.server.connections`.
    """
    sockets = _sockets(path, port)
    server = _server(app, connections)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    try:
        _await_start(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=START_SECONDS)
        _close(sockets, path)


def _server(app: FastAPI, connections: int = CONNECTIONS) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=guarded(connections),
            ws="none",
            log_level="error",  # warnings are what clients bring about, as often as they like
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise Unavailable("server", "it did not start", "See its log.")
        time.sleep(0.01)


def _sockets(path: Path, port: int | None) -> list[socket.socket]:
    sockets = [_unix(path)]
    if port is not None:
        try:
            sockets.append(socket.create_server((LOOPBACK, port)))
        except OSError as error:
            _close(sockets, path)
            raise Conflict(f"port {port}", str(error), "Choose another port.") from error
    return sockets


def _unix(path: Path) -> socket.socket:
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        os.chmod(path, 0o666)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise BadSettings(
            path, f"cannot be a socket ({error})", "Give a shorter path in a folder of yours."
        ) from error
    return listener


def _remove_stale(path: Path) -> None:
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise Conflict(path, "a server answers there", "Stop it, or choose another path.")
    path.unlink()


def _close(sockets: list[socket.socket], path: Path) -> None:
    for listener in sockets:
        listener.close()
    path.unlink(missing_ok=True)
