"""Connections that hostile programs open and never use."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from aar_host.server import listening
from aar_host.server.connections import Guarded, guarded


@pytest.fixture
def app():
    made = FastAPI()
    made.get("/")(lambda: {"fine": True})
    return made


def connected(path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(10)
    made.connect(str(path))
    return made


def ask(path) -> int:
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(transport=transport, base_url="http://host", timeout=10) as http:
        return http.get("/").status_code


def test_who_comes_when_all_connections_are_taken_is_turned_away(app, tmp_path):
    path = tmp_path / "host.sock"
    with listening(app, path, connections=3):
        idle = [connected(path) for _ in range(3)]
        assert _ended(connected(path))
        with pytest.raises(httpx.HTTPError):
            ask(path)
        for one in idle:
            one.close()
        assert _eventually_fine(path)


NONSENSE = b"\x00\x1b]0;nonsense\x07\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
)


@pytest.mark.parametrize(("sent", "status"), [(NONSENSE, b"400"), (UPGRADE, b"200")])
def test_what_is_sent_writes_nothing_on_the_operators_terminal(app, tmp_path, capfd, sent, status):
    path = tmp_path / "host.sock"
    with listening(app, path), connected(path) as one:
        one.sendall(sent)
        assert one.recv(12) == b"HTTP/1.1 " + status
    assert capfd.readouterr() == ("", "")


def _ended(connection: socket.socket) -> bool:
    with connection:
        try:
            return connection.recv(10) == b""
        except ConnectionError:
            return True


def _eventually_fine(path) -> bool:
    for _ in range(100):
        try:
            return ask(path) == 200
        except httpx.HTTPError:
            continue
    return False


class Wire(asyncio.Transport):
    """A transport that only knows whether it was ended."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        """Nothing more."""

    def is_closing(self) -> bool:
        return self.aborted

    def write(self, data: bytes) -> None:
        """To nobody."""

    def get_extra_info(self, name, default=None):
        return default


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n"])
def test_a_head_that_does_not_come_ends_its_connection(app, sent):
    async def run() -> None:
        protocol, wire = begun(app, sent)
        while not wire.aborted:
            await asyncio.sleep(0.01)
        protocol.connection_lost(None)

    asyncio.run(run())


def test_a_whole_head_stops_the_clock(app):
    async def run() -> None:
        protocol, _ = begun(app, b"GET / HT", head_seconds=1000.0)
        clock = protocol._late
        assert clock is not None
        protocol.data_received(b"TP/1.1\r\nhost: x\r\n\r\n")
        assert clock.cancelled()
        protocol.connection_lost(None)

    asyncio.run(run())


def begun(app, sent: bytes, head_seconds: float = 0.05) -> tuple[Guarded, Wire]:
    """A connection on which that has come."""
    config = uvicorn.Config(app, log_level="critical", lifespan="off")
    config.load()
    protocol = guarded(9, head_seconds)(config, ServerState(), {})
    assert isinstance(protocol, Guarded)
    wire = Wire()
    protocol.connection_made(wire)
    if sent:
        protocol.data_received(sent)
    return protocol, wire
