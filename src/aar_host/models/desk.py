"""What a seat's forwarder works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from aar_host.models.account import Account
from aar_host.models.endpoint import Endpoint
from aar_host.models.redact import Redactor
from aar_host.models.transcript import Transcript
from aar_host.researchers.base import CallNote

Record = Callable[[str, Mapping[str, Any]], None]


def make_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client that follows no redirect and waits long: a model may think before its first byte.

    A connection is used once. One that was kept could have been ended by the provider meanwhile,
    and then nobody would know whether a call that was sent on it has cost anything.
    """
    timeout = httpx.Timeout(connect=15.0, read=600.0, write=60.0, pool=60.0)
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=timeout, limits=limits, transport=transport)


@dataclass(frozen=True)
class Bounds:
    """What a box may ask of its forwarder.

    Args:
        bytes: of a request's body; of all that are under way together, twice as many.
        body_seconds: in which the body must have come.
        calls: at one time.
        wait_seconds: for calls under way to give back what they have reserved of the budget.
        answer_bytes: of an answer.
        answer_seconds: that a call may take until the last byte of its answer.
    """

    bytes: int = 32 << 20
    body_seconds: float = 60.0
    calls: int = 16
    wait_seconds: float = 120.0
    answer_bytes: int = 64 << 20
    answer_seconds: float = 1800.0


@dataclass(frozen=True)
class Desk:
    """One seat's way to its models.

    Args:
        account: that pays.
        endpoints: by the model name that the box uses.
        note: told of every call that reached a provider, or was refused for the budget, when it
            has ended; from any thread.
        record: told of events (kind, payload), the calls of tools that the model makes; from any
            thread.
        transcript: where the conversation is kept.
        redactor: takes the keys out of what a provider says.
        http: the way to the providers; closed with the forwarder.
        bounds: of what the box may ask.
    """

    account: Account
    endpoints: Mapping[str, Endpoint]
    note: Callable[[CallNote], None]
    record: Record
    transcript: Transcript
    redactor: Redactor
    http: httpx.AsyncClient = field(default_factory=make_client)
    bounds: Bounds = Bounds()
