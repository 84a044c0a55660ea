"""A box's request, read and made safe: what is sent on, and the most that it can cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aar_host.models.endpoint import Endpoint
from aar_host.models.usage import Usage
from aar_host.models.wires import PROTOCOLS, WireProtocol
from aar_host.models.wires.base import MAX_PROMPT, Body, beyond_bytes
from aar_host.store.spending import CallDraft
from aar_lab.digest import digest_bytes
from aar_lab.errors import BadInput, UnknownName

HEADERS = ("accept", "anthropic-version", "anthropic-beta", "openai-beta")
MAX_HEADER = 2000
# Marks of JSON's structure: each makes an object in memory many times its own size.
MAX_MARKS = 1_000_000
MAX_DEPTH = 64


@dataclass(frozen=True)
class Order:
    """A request as it is sent on.

    Args:
        path: of the provider, with its query.
        said: the request as JSON.
        body: the bytes that are sent.
        headers: without the key.
        most: the most tokens that it can use.
        free: nothing is charged for it.
    """

    endpoint: Endpoint
    protocol: WireProtocol
    path: str
    said: Body
    body: bytes
    headers: Mapping[str, str]
    most: Usage
    free: bool

    def at(self, path: str) -> Order:
        """The same at another path."""
        return replace(self, path=path)

    @property
    def draft(self) -> CallDraft:
        """What is reserved for it."""
        dollars = self.most.most_dollars(self.endpoint.price)
        request = digest_bytes(self.body)
        return CallDraft(self.endpoint.model, request, dollars, self.most.tokens)

    @property
    def keyed(self) -> dict[str, str]:
        """The headers that are sent, with the key."""
        key = self.endpoint.key
        own = {"content-type": "application/json", "accept-encoding": "identity"}
        return {**self.headers, **own, **(self.protocol.headers(key) if key else {})}


def read_order(
    endpoints: Mapping[str, Endpoint], path: str, headers: Mapping[str, str], content: bytes
) -> Order:
    """The order that a request makes.

    Args:
        path: one of the protocols', without a query.

    Raises:
        UnknownName: the model is not on this seat's list.
        BadInput: no JSON object, or one that reaches further than the model itself.
    """
    body = _parse(content)
    name = body.get("model")
    endpoint = endpoints.get(name) if isinstance(name, str) else None
    if endpoint is None:
        known = ", ".join(sorted(endpoints))
        raise UnknownName(f"{name!r:.80}", "this seat has no such model", f"It has: {known}.")
    protocol = PROTOCOLS[endpoint.wire]
    if path != protocol.path and path not in protocol.free:
        raise BadInput(path, f"{endpoint.name} is asked at {protocol.path}", "Ask there.")
    said = protocol.clean(body) | {"model": endpoint.model}
    sent = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    kept = {
        name: headers[name]
        for name in HEADERS
        if len(headers.get(name, "x" * MAX_HEADER)) < MAX_HEADER and headers[name].isascii()
    }
    tokens = len(sent) + beyond_bytes(protocol.items(said))
    most = Usage(input=min(tokens, MAX_PROMPT), output=protocol.most_output(said))
    free = path in protocol.free
    return Order(endpoint, protocol, path, said, sent, kept, most, free)


def _parse(content: bytes) -> Body:
    """The body as a JSON object; `BadInput` if it is none, or built to fill memory."""
    if sum(content.count(mark) for mark in (b"[", b"{", b'"', b",")) > MAX_MARKS:
        raise BadInput("body", "too many parts", "Send fewer and longer messages.")
    try:
        body = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadInput("body", f"not JSON ({error})"[:200], "Send a JSON object.") from error
    if not isinstance(body, dict):
        raise BadInput("body", "not a JSON object", "Send a JSON object.")
    _check_depth(body)
    return body


def _check_depth(body: Body) -> None:
    layer: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        inner = (c for one in layer for c in (one.values() if isinstance(one, dict) else one))
        layer = [child for child in inner if isinstance(child, dict | list)]
        if not layer:
            return
    raise BadInput("body", f"nested more than {MAX_DEPTH} deep", "Send it flatter.")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
