"""What the Responses and the chat protocol have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aar_host.models.usage import Usage
from aar_host.models.wires.base import Body, as_object, count, is_overflow

COSTLY = ("service_tier", "web_search_options")
TYPES = {
    "over_budget": "permission_error",
    "no_key": "authentication_error",
    "rate_limited": "rate_limit_error",
    "too_large": "invalid_request_error",
    "bad_request": "invalid_request_error",
    "not_found": "invalid_request_error",
    "unavailable": "server_error",
}


def bearer(key: str) -> Mapping[str, str]:
    """The header that identifies the payer."""
    return {"authorization": f"Bearer {key}"}


def error_body(kind: str, message: str) -> Body:
    """The body of a failure."""
    fault = {"message": message, "type": TYPES[kind], "param": None, "code": kind}
    return {"error": fault}


def data(body: Body) -> bytes:
    """An event without a name."""
    return f"data: {json.dumps(body)}\n\n".encode()


def usage_of(body: Body, prompt: str, output: str) -> Usage | None:
    """The usage that names prompt and output so; cached tokens are part of the prompt's."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    details = as_object(usage.get(f"{prompt}_details"))
    read, written = count(details.get("cached_tokens")), count(details.get("cache_write_tokens"))
    fresh = max(count(usage.get(prompt)) - read - written, 0)
    return Usage(fresh, read, written, count(usage.get(output)))


def fault_of(error: Any) -> str:
    """The kind of a failure that an answer tells of."""
    body = as_object(error)
    words = f"{body.get('code')} {body.get('type')}"
    if "rate_limit" in words or "overloaded" in words:
        return "rate_limited"
    return "overflow" if is_overflow(f"{words} {body.get('message')}") else "failed"
