"""A server that speaks the three protocols of language models and says what a script tells it to.

It keeps every request; one without the expected key is answered with 401 and kept apart.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.scripted import chat, messages, responses
from tests.scripted.script import Asked, Fault, Reply, Script

WIRES: dict[str, ModuleType] = {
    "/v1/messages": messages,
    "/v1/responses": responses,
    "/v1/chat/completions": chat,
}
KEY = "sk-scripted-key"
RETRY_AFTER = "1"


class Hangup(Exception):
    """Raised in the middle of an answer, so that the server ends the connection."""


class Scripted:
    """The application.

    Args:
        script: what it says.
        key: that every request must bring; empty: any or none will do.
    """

    def __init__(self, script: Script, key: str = KEY) -> None:
        self._script, self._key = script, key
        self.asked: list[Asked] = []
        self.strangers: list[Asked] = []
        self.url = ""
        routes = [Route(path, self._answer, methods=["POST"]) for path in WIRES]
        routes.append(Route("/v1/messages/count_tokens", self._count, methods=["POST"]))
        routes.append(Route("/v1/models", self._models, methods=["GET"]))
        self.app = Starlette(routes=routes)

    async def _answer(self, request: Request) -> Response:
        wire = WIRES[request.url.path]
        body = await request.json()
        asked = Asked(
            request.url.path, body, dict(request.headers), wire.results(body), wire.tools(body)
        )
        if self._key and self._key not in _key_of(request):
            self.strangers.append(asked)
            return _failure(wire, Fault.BAD_KEY)
        self.asked.append(asked)
        reply = await asyncio.to_thread(self._script, asked)
        await asyncio.sleep(reply.delay)
        if reply.fault in wire.STATUS:
            return _failure(wire, reply.fault)
        if body.get("stream"):
            return StreamingResponse(_streamed(wire, body, reply), media_type="text/event-stream")
        if reply.fault is Fault.DROPPED:
            return StreamingResponse(_cut(b'{"id": "half'), media_type="application/json")
        return JSONResponse(wire.document(body, reply))

    async def _count(self, request: Request) -> Response:
        return JSONResponse({"input_tokens": len(await request.body()) // 4})

    async def _models(self, _request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "scripted", "object": "model"}]})


def _key_of(request: Request) -> str:
    headers = request.headers
    return headers.get("x-api-key", "") + headers.get("authorization", "")


def _failure(wire: ModuleType, fault: Fault) -> Response:
    status, body = wire.error(fault)
    headers = {"retry-after": RETRY_AFTER} if fault is Fault.RATE_LIMITED else {}
    return JSONResponse(body, status, headers)


async def _streamed(wire: ModuleType, body: dict[str, Any], reply: Reply) -> AsyncIterator[bytes]:
    if reply.fault is Fault.DROPPED:
        async for piece in _cut(*islice(wire.events(body, reply), 3)):
            yield piece
    for event in wire.events(body, reply):
        yield event


async def _cut(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0.01)
    raise Hangup


@contextmanager
def scripted(script: Script, key: str = KEY, path: Path | None = None) -> Iterator[Scripted]:
    """Serve from a thread, on a free port of loopback (see `url`), or at a unix socket."""
    server = Scripted(script, key)
    if path is None:
        listener = socket.create_server(("127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, 0o666)
    config = uvicorn.Config(
        server.app, log_level=60, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(
        target=running.run, kwargs={"sockets": [listener]}, name="scripted", daemon=True
    )
    thread.start()
    try:
        while not running.started:
            time.sleep(0.01)
        yield server
    finally:
        running.should_exit = True
        thread.join(10)
        listener.close()
