"""A seat's forwarder: the one way from a box to a language model.

It needs no key from the box: who reaches the socket is the seat. Every request is checked, cleaned,
reserved on the account, sent on with the host's key, and charged by what the answer says of its
usage. Nothing that the box sends is believed, and nothing of it but the conversation is passed on.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from aar_host.models.desk import Desk
from aar_host.models.exchange import Exchange
from aar_host.models.orders import Order, read_order
from aar_host.models.wires import PROTOCOLS, WireProtocol
from aar_host.researchers.base import CallNote, CallOutcome, Wire
from aar_host.store.spending import Bill
from aar_lab.errors import BadInput, Conflict, LabError, OverBudget, UnknownName

POLL_SECONDS = 0.2
MAX_RECORDED = 500
BETA = "?beta=true"
PATHS = frozenset(path for one in PROTOCOLS.values() for path in (one.path, *one.free))


class Turned(Exception):
    """A request that is answered by the forwarder itself, with a failure."""

    def __init__(self, status: int, kind: str, error: LabError, retry: int | None = None) -> None:
        super().__init__(str(error))
        self.status, self.kind, self.retry = status, kind, retry


def forwarder(desk: Desk) -> FastAPI:
    """The application of one seat, for `aar_host.server.serving.listening`."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await desk.http.aclose()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.mount("/", _Forwarder(desk))
    return app


class _Forwarder:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._busy = self._held = 0
        self._noting = threading.Lock()
        self._notes = 0
        self._last: CallOutcome | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            self._enter()
            try:
                await self._serve(request, receive, send)
            finally:
                self._busy -= 1
        except Turned as turned:
            await _failure(_protocol(request.url.path), turned)(scope, receive, send)
        except ClientDisconnect:
            return

    def _enter(self) -> None:
        self._busy += 1
        if self._busy > self._desk.bounds.calls:
            self._busy -= 1
            error = Conflict(f"{self._desk.bounds.calls} calls", "no more at one time", "Wait.")
            raise Turned(429, "rate_limited", error, retry=1)

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        path = request.scope["path"]
        if request.method == "GET" and path == "/v1/models":
            await _models(self._desk)(request.scope, receive, send)
            return
        if request.method != "POST" or path not in PATHS:
            error = UnknownName(path[:80], "there is no such path", f"Known: {sorted(PATHS)}.")
            raise Turned(404, "not_found", error)
        content = bytearray()
        try:
            await self._fill(content, request)
            await self._ordered(bytes(content), request, receive, send)
        finally:
            self._held -= len(content)

    async def _ordered(
        self, content: bytes, request: Request, receive: Receive, send: Send
    ) -> None:
        path = request.scope["path"]
        query = BETA if request.scope["query_string"] == BETA[1:].encode() else ""
        try:
            order = read_order(self._desk.endpoints, path, request.headers, content)
        except BadInput as error:
            raise Turned(400, "bad_request", error) from error
        order = order if not query else order.at(path + query)
        exchange = Exchange(self._desk, order)
        if order.free:
            await exchange.run(receive, send)
        else:
            await self._charged(exchange, order, receive, send)

    async def _charged(
        self, exchange: Exchange, order: Order, receive: Receive, send: Send
    ) -> None:
        call, ended = await self._admitted(order), False
        try:
            await exchange.run(receive, send)
            ended = True
        finally:
            # The loop is about to end, or this task: there is no time to wait for a thread.
            if not ended:
                self._close(call, order, exchange)
        await run_in_threadpool(self._close, call, order, exchange)

    async def _fill(self, found: bytearray, request: Request) -> None:
        """Read the body as it comes, as long as it comes fast and is not too long."""
        bounds = self._desk.bounds
        try:
            async with asyncio.timeout(bounds.body_seconds):
                async for chunk in request.stream():
                    found += chunk
                    self._held += len(chunk)
                    if len(found) > bounds.bytes:
                        error = BadInput("body", f"more than {bounds.bytes} bytes", "Send less.")
                        raise Turned(413, "too_large", error)
                    if self._held > 2 * bounds.bytes:
                        busy = Conflict("body", "too much is under way", "Wait for the others.")
                        raise Turned(429, "rate_limited", busy, retry=1)
        except TimeoutError as error:
            slow = BadInput("body", f"not there in {bounds.body_seconds:g} s", "Send it faster.")
            raise Turned(408, "bad_request", slow) from error

    async def _admitted(self, order: Order) -> str:
        """The call's id, once the budget has room for it."""
        until = time.monotonic() + self._desk.bounds.wait_seconds
        while True:
            try:
                return await run_in_threadpool(self._desk.account.admit, order.draft)
            except OverBudget as error:
                self._note(CallOutcome.OVER_BUDGET)
                raise Turned(403, "over_budget", error) from error
            except Conflict as error:
                if time.monotonic() > until:
                    raise Turned(429, "rate_limited", error, retry=5) from error
            except LabError as error:
                raise Turned(503, "unavailable", error, retry=5) from error
            await asyncio.sleep(POLL_SECONDS)

    def _close(self, call: str, order: Order, exchange: Exchange) -> None:
        """Charge a call that has ended, and tell of it; a second time changes nothing."""
        bill, reading, desk = exchange.bill, exchange.reading, self._desk
        if not desk.account.settle(call, bill):
            return
        try:
            self._tell(call, order, exchange, bill)
        finally:
            self._note(exchange.outcome, tuple(one.tool for one in reading.tools))

    def _tell(self, call: str, order: Order, exchange: Exchange, bill: Bill) -> None:
        desk, reading = self._desk, exchange.reading
        tools = [{"tool": one.tool, "arguments": one.arguments} for one in reading.tools]
        entry = {
            "time": time.time(),
            "call": call,
            "model": order.endpoint.model,
            "outcome": exchange.outcome,
            "seconds": round(exchange.seconds, 3),
            "usage": dict(bill.usage or {}),
            "dollars": bill.dollars,
            "request": {"digest": order.draft.request, "new": self._new(order)},
            "answer": {"text": reading.text, "tools": tools},
        }
        desk.transcript.write(entry)
        for one in tools:
            desk.record("tool_call", desk.redactor.json(one, MAX_RECORDED))

    def _new(self, order: Order) -> list[Any]:
        return self._desk.transcript.new(order.protocol.items(order.said))

    def _note(self, outcome: CallOutcome, tools: tuple[str, ...] = ()) -> None:
        with self._noting:
            # A client that asks on without a budget is told of once, however often it asks.
            if outcome is self._last is CallOutcome.OVER_BUDGET:
                return
            self._notes, self._last = self._notes + 1, outcome
            self._desk.note(CallNote(self._notes, outcome, tools))


def _protocol(path: str) -> WireProtocol:
    """The one whose path that is; where it is none's, any client understands the chat's errors."""
    found = (one for one in PROTOCOLS.values() if path in (one.path, *one.free))
    return next(found, PROTOCOLS[Wire.CHAT])


def _failure(protocol: WireProtocol, turned: Turned) -> Response:
    headers = {} if turned.retry is None else {"retry-after": str(turned.retry)}
    body = protocol.error(turned.kind, str(turned)[:500])
    # What is left of the body is not read, so the connection cannot be used again.
    return JSONResponse(body, turned.status, {**headers, "connection": "close"})


def _models(desk: Desk) -> Response:
    """The seat's own list, in the shape that clients of all protocols read."""
    listed = [
        {"id": name, "object": "model", "type": "model", "display_name": name, "owned_by": "aar"}
        for name in sorted(desk.endpoints)
    ]
    return JSONResponse({"object": "list", "data": listed, "has_more": False})
