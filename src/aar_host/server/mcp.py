"""The third door: the verbs as MCP tools over streamable HTTP, at `/mcp`.

A tool asks the routes of this very application, in process, with the token of whoever called it:
what a role may do, and what is refused, is decided there and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx
from fastapi import APIRouter, FastAPI, Request, Response
from mcp.server.context import ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp, Receive, Scope, Send

from aar_host.server.access import Bearer, Reader
from aar_host.server.answers import SHOWN, Documented, Message, told
from aar_host.server.errors import MAX_BODY_BYTES
from aar_lab.client import Client
from aar_lab.errors import Unavailable
from aar_lab.mcp import Given, tool_server
from aar_lab.tools import without_box
from aar_lab.verbs import Verb

CALLS_EACH = 4  # of one actor at a time: each keeps a thread busy, for as long as it waits
NAMES = ("127.0.0.1", "localhost", "[::1]")
SECURITY = TransportSecuritySettings(
    allowed_hosts=["host", *NAMES, *(f"{name}:*" for name in NAMES)],  # `host`: the unix socket's
    allowed_origins=[f"http://{name}{port}" for name in NAMES for port in ("", ":*")],
)

# Failures of the protocol itself have its own shapes: a JSON-RPC error, or a line of text.
_PROTOCOL = {"application/json": {"schema": {"type": "object"}}, "text/plain": {}}
DOCUMENTED: Documented = told(Message, 401) | {
    202: {"description": "A notification was received; there is no answer."},
    400: {"description": "No message of the protocol.", "content": _PROTOCOL},
    403: {"description": "The origin is a page of another site.", "content": _PROTOCOL},
    404: {"description": "No such method.", "content": _PROTOCOL},
    406: {"description": "The client does not accept JSON.", "content": _PROTOCOL},
    421: {"description": "The server is not of that name.", "content": _PROTOCOL},
}
REQUEST = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["jsonrpc", "method"],
                "properties": {"jsonrpc": {"const": "2.0"}, "method": {"type": "string"}},
            },
            "example": {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "scores", "arguments": {"submission": SHOWN, "wait": 20}},
            },
        }
    },
}

router = APIRouter()


class InProcess(httpx.BaseTransport):
    """From a worker thread of the event loop into an application that runs in that loop."""

    def __init__(self, app: ASGIApp) -> None:
        self._inside = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Have the event loop answer the request, and wait for it."""
        return anyio.from_thread.run(self._answered, request)

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        response = await self._inside.handle_async_request(request)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    """The lifespan of an application: `/mcp` answers while it lasts."""
    inside = InProcess(app)
    limits: dict[str, anyio.CapacityLimiter] = defaultdict(
        partial(anyio.CapacityLimiter, CALLS_EACH)
    )

    async def act(
        context: ServerRequestContext[Any, Any], verb: Verb, given: Given
    ) -> dict[str, Any]:
        who = cast(Request, context.request).state
        client = Client(who.token, inside)
        work = partial(verb.load(), lambda: client, **given)
        return await anyio.to_thread.run_sync(work, limiter=limits[who.actor.id])

    manager = StreamableHTTPSessionManager(
        tool_server(without_box(), act),
        json_response=True,
        stateless=True,
        security_settings=SECURITY,
        max_request_body_size=MAX_BODY_BYTES,
    )
    async with manager.run():
        app.state.mcp = manager
        yield
        app.state.mcp = None


class HandedOn(Response):
    """A request that the MCP server answers."""

    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        super().__init__()
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the MCP server read the request and answer it."""
        await self._manager.handle_request(scope, receive, send)


@router.post(
    "/mcp",
    operation_id="mcp",
    tags=["tools"],
    summary="The verbs as tools",
    responses=DOCUMENTED,
    response_model=None,
    openapi_extra={"requestBody": REQUEST},
)
def mcp(request: Request, _reader: Reader, header: Bearer) -> Response:
    """The verbs as tools of the Model Context Protocol: one JSON-RPC message, one answer.

    Raises:
        Unavailable: the application runs without its lifespan.
    """
    manager = getattr(request.app.state, "mcp", None)
    if manager is None:
        raise Unavailable("/mcp", "this server does not speak MCP", "Use the routes under /v1.")
    request.state.token = header.credentials if header else ""
    return HandedOn(manager)
