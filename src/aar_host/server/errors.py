"""Every failure leaves the server as {"error": {code, value, fault, remedy}}."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aar_lab.errors import (
    BadInput,
    Conflict,
    LabError,
    NotAuthorised,
    OverBudget,
    Unavailable,
    Undefined,
    UnknownName,
)

MAX_BODY_BYTES = 256 * 1024
BODY_SECONDS = 30.0
MAX_VALUE = 200

# The first kind that fits decides.
STATUS: Mapping[type[LabError], HTTPStatus] = {
    UnknownName: HTTPStatus.NOT_FOUND,
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Undefined: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAuthorised: HTTPStatus.FORBIDDEN,
    OverBudget: HTTPStatus.TOO_MANY_REQUESTS,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def respond(error: LabError, status: int) -> JSONResponse:
    """The error as a response; characters that are no UTF-8 are replaced."""
    body = {
        name: text.encode("utf-8", "replace").decode("utf-8")
        for name, text in error.as_dict().items()
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse({"error": body}, status, headers)


def install(app: FastAPI) -> None:
    """Make the app answer every failure in the one shape."""
    app.add_exception_handler(LabError, _on_lab_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unforeseen)
    app.add_middleware(BodyLimit)


async def _on_lab_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, LabError):
        raise error
    status = next(
        (code for kind, code in STATUS.items() if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    known = getattr(request.state, "actor", None) is not None
    if status == HTTPStatus.FORBIDDEN and not known:
        status = HTTPStatus.UNAUTHORIZED
    return respond(error, status)


async def _on_validation(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])[:MAX_VALUE]
    fault = str(first["msg"])[:MAX_VALUE]
    return respond(
        BadInput(place, fault, "Compare the request with /openapi.json."),
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    value = f"{request.method} {request.url.path}"[:MAX_VALUE]
    kind = UnknownName if error.status_code == HTTPStatus.NOT_FOUND else BadInput
    return respond(kind(value, str(error.detail), "See /openapi.json."), error.status_code)


async def _on_unforeseen(_request: Request, _error: Exception) -> JSONResponse:
    error = LabError("request", "the server failed", "Report it with the server's log.")
    return respond(error, HTTPStatus.INTERNAL_SERVER_ERROR)


class BodyLimit:
    """Reads a request's body before anything parses it, and refuses more than MAX_BODY_BYTES, or
    one that has not come whole after `seconds`.

    It counts what arrives, so that a missing or wrong content-length makes no difference.
    """

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its whole body, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await _whole(receive)
        except TimeoutError:
            await _refusal(HTTPStatus.REQUEST_TIMEOUT)(scope, receive, send)
            return
        if body is None:
            return
        if len(body) > MAX_BODY_BYTES:
            await _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)(scope, receive, send)
            return
        replay: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def received() -> Message:
            return replay.pop() if replay else await receive()

        await self._app(scope, received, send)


async def _whole(receive: Receive) -> bytes | None:
    """The body, cut off soon after MAX_BODY_BYTES; None if the client went away."""
    body, more = bytearray(), True
    while more and len(body) <= MAX_BODY_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _refusal(status: HTTPStatus) -> JSONResponse:
    faults = {
        HTTPStatus.REQUEST_TIMEOUT: "it did not come whole in time",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"more than {MAX_BODY_BYTES} bytes",
    }
    return respond(BadInput("body", faults[status], "Send less; a source has 64 KiB."), status)
