"""One call of a model: sent on, passed back while it comes, read on the way, charged at its end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
from starlette.types import Receive, Send

from aar_host.models.desk import Desk
from aar_host.models.orders import Order
from aar_host.models.usage import Usage
from aar_host.models.wires import Events, Reading, is_overflow
from aar_host.models.wires.base import DONE, as_object
from aar_host.researchers.base import CallOutcome
from aar_host.store.schema import CallStatus
from aar_host.store.spending import Bill
from aar_lab.errors import BadInput

ANSWER_HEADERS = ("content-type", "retry-after", "request-id")
MAX_FAILURE = 64 << 10
STREAM = "text/event-stream"
OVERLOADED = 529
# Where the request never came to the provider, so that it cannot have cost anything.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
# Failures told of in an answer that come before the model has written anything.
UNSTARTED = (CallOutcome.RATE_LIMITED, CallOutcome.OVERFLOW)
ENDINGS = {
    CallOutcome.OK: CallStatus.DONE,
    CallOutcome.REFUSED: CallStatus.DONE,
    CallOutcome.DROPPED: CallStatus.DROPPED,
}


class Exchange:
    """A call that has been admitted. Whatever happens, `bill` says afterwards what it costs."""

    def __init__(self, desk: Desk, order: Order) -> None:
        self._desk, self._order = desk, order
        self._reader = order.protocol.reader()
        self._events = Events()
        self._begun = time.monotonic()
        self._told: CallOutcome | None = None
        self._free = False

    @property
    def reading(self) -> Reading:
        """What is known of the answer."""
        return self._reader.reading

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._begun

    @property
    def outcome(self) -> CallOutcome:
        """What became of it, as far as it has come."""
        if self._told is not None:
            return self._told
        if self.reading.error:
            return CallOutcome(self.reading.error)
        if self.reading.refused:
            return CallOutcome.REFUSED
        return CallOutcome.OK if self.reading.ended else CallOutcome.DROPPED

    @property
    def bill(self) -> Bill:
        """What it costs: the usage that is known, or else what was reserved."""
        status = ENDINGS.get(self.outcome, CallStatus.FAILED)
        used = self._used()
        if used is None:
            return Bill(status, self.outcome)
        dollars = used.dollars(self._order.endpoint.price)
        return Bill(status, self.outcome, dollars, used.tokens, used.as_dict())

    def _used(self) -> Usage | None:
        reading = self.reading
        if self._free:
            return Usage()
        if reading.ended and reading.usage is not None:
            return reading.usage
        if reading.usage is None and reading.error in UNSTARTED:
            return Usage()
        known = reading.known
        if known is None or not self._hides:
            return known
        return replace(known, output=max(known.output, self._order.most.output))

    @property
    def _hides(self) -> bool:
        """Whether an answer that was cut off may have more tokens than were seen of it."""
        thinking = self._order.said.get("thinking")
        thinks = bool(thinking) and as_object(thinking).get("type") != "disabled"
        return thinks or self.reading.hidden or not self.reading.seen

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve the client; if it goes away, so does the call."""
        work = asyncio.ensure_future(self._relay(send))
        gone = asyncio.ensure_future(_hung_up(receive))
        try:
            await asyncio.wait(
                {work, gone},
                timeout=self._desk.bounds.answer_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            gone.cancel()
            work.cancel()
            await asyncio.gather(gone, work, return_exceptions=True)
        if not work.cancelled() and (error := work.exception()) is not None:
            raise error

    async def _relay(self, send: Send) -> None:
        url = self._order.endpoint.url(self._order.path)
        content, headers = self._order.body, self._order.keyed
        try:
            async with self._desk.http.stream(
                "POST", url, content=content, headers=headers, follow_redirects=False
            ) as answer:
                kind = answer.headers.get("content-type", "")
                if answer.status_code != 200:
                    await self._pass_failure(answer, send)
                elif kind.startswith(STREAM):
                    await self._pass_stream(answer, send)
                else:
                    await self._pass_document(answer, send)
        except UNSENT as error:
            self._free, self._told = True, CallOutcome.FAILED
            await self._fail(send, f"the provider cannot be reached ({type(error).__name__})")
        except (httpx.HTTPError, httpx.StreamError) as error:
            await self._fail(send, f"the provider hung up ({type(error).__name__})")

    async def _pass_stream(self, answer: httpx.Response, send: Send) -> None:
        await send(_start(200, answer))
        size = 0
        try:
            async for chunk in answer.aiter_bytes():
                size += len(chunk)
                if size > self._desk.bounds.answer_bytes:
                    raise BadInput(f"{size} bytes", "the answer is too long", "Ask for less.")
                self._read(self._events.feed(chunk))
                await send(_part(chunk, more=True))
        except (httpx.HTTPError, BadInput) as error:
            notice = self._order.protocol.failure_event(f"the stream broke off ({error})"[:200])
            await send(_part(notice, more=False))
            return
        await send(_part(b"", more=False))

    async def _pass_document(self, answer: httpx.Response, send: Send) -> None:
        content = await _all(answer, self._desk.bounds.answer_bytes)
        if content is None:
            await self._fail(send, "the provider's answer is too long")
            return
        self._reader.document(_object(content))
        await send(_start(200, answer, len(content)))
        await send(_part(content, more=False))

    async def _pass_failure(self, answer: httpx.Response, send: Send) -> None:
        """Tell the box why, but nothing of the key or of any address."""
        self._free, status = True, answer.status_code
        content = await _all(answer, MAX_FAILURE) or b""
        text = self._desk.redactor.text(content.decode("utf-8", "replace"))
        self._told = _outcome(status, text)
        if self._told is CallOutcome.NO_KEY:
            body = self._order.protocol.error("no_key", "the host's key was not accepted")
            text = json.dumps(body)
        elif not 400 <= status < 600:
            return await self._fail(send, f"the provider answered {status}")
        content = text.encode()
        await send(_start(status, answer, len(content)))
        await send(_part(content, more=False))

    async def _fail(self, send: Send, message: str) -> None:
        """An answer of our own, where none was begun."""
        content = json.dumps(self._order.protocol.error("unavailable", message)).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 502, "headers": headers})
        await send(_part(content, more=False))

    def _read(self, events: list[str]) -> None:
        for data in events:
            if data != DONE:
                self._reader.event(_object(data))


def _outcome(status: int, text: str) -> CallOutcome:
    if status in (401, 403):
        return CallOutcome.NO_KEY
    if status in (429, OVERLOADED):
        return CallOutcome.RATE_LIMITED
    overflow = status == 413 or (status == 400 and is_overflow(text))
    return CallOutcome.OVERFLOW if overflow else CallOutcome.FAILED


def _start(status: int, answer: httpx.Response, length: int | None = None) -> dict[str, Any]:
    kept = [(name, answer.headers[name]) for name in ANSWER_HEADERS if name in answer.headers]
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in kept]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return {"type": "http.response.start", "status": status, "headers": headers}


def _part(content: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def _all(answer: httpx.Response, most: int) -> bytes | None:
    """The whole body, or None if it is longer."""
    found = bytearray()
    async for chunk in answer.aiter_bytes():
        found += chunk
        if len(found) > most:
            return None
    return bytes(found)


def _object(text: str | bytes) -> dict[str, Any]:
    """A JSON object of a provider; what is none counts as an empty one."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


async def _hung_up(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
