"""What a scripted model is asked and what it answers, whatever the protocol."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_NUMBERS = itertools.count(1)


def new_id(kind: str) -> str:
    """An identifier that was not used before: clients leave out a call that they know already."""
    return f"{kind}_{next(_NUMBERS):08d}"


class Fault(StrEnum):
    """How an answer goes wrong."""

    RATE_LIMITED = "rate_limited"  # 429, with retry-after
    BROKEN = "broken"  # 500
    OVERFLOW = "overflow"  # 400: the context is too long
    BAD_KEY = "bad_key"  # 401
    REFUSED = "refused"  # the model itself says no
    DROPPED = "dropped"  # the connection ends in the middle of the answer
    MALFORMED = "malformed"  # the arguments of the tool calls are no JSON


@dataclass(frozen=True)
class Usage:
    """Tokens; `input` does not count the cached ones."""

    input: int = 100
    cached_input: int = 0
    cache_write: int = 0
    output: int = 20


@dataclass(frozen=True)
class Call:
    """A tool call; `namespace` is that of the Responses protocol."""

    name: str
    arguments: Mapping[str, Any]
    namespace: str | None = None


@dataclass(frozen=True)
class Reply:
    """An answer.

    Args:
        text: may be as long as wished.
        calls: of tools.
        fault: how it goes wrong.
        delay: seconds before its first byte.
    """

    text: str = ""
    calls: Sequence[Call] = ()
    usage: Usage = Usage()
    fault: Fault | None = None
    delay: float = 0.0

    def arguments(self, call: Call) -> str:
        """The JSON text of a call's arguments, cut short if they are malformed."""
        text = json.dumps(call.arguments)
        return text[: len(text) // 2] if self.fault is Fault.MALFORMED else text


@dataclass(frozen=True)
class Asked:
    """A request.

    Args:
        path: of the URL.
        body: its JSON.
        headers: lower-case names.
        results: the texts of all tool results in it, oldest first.
    """

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    results: Sequence[str] = ()
    tools: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def turn(self) -> int:
        """How many tool results the model has seen: which turn it is if each makes one call."""
        return len(self.results)


Script = Callable[[Asked], Reply]


def turns(*replies: Reply | Script) -> Script:
    """A script by `Asked.turn`; after the last reply it says that it is done."""

    def script(asked: Asked) -> Reply:
        if asked.turn >= len(replies):
            return Reply("Done.")
        reply = replies[asked.turn]
        return reply if isinstance(reply, Reply) else reply(asked)

    return script


def in_order(*replies: Reply) -> Script:
    """A script by the number of requests, retries counted; the last reply is repeated."""
    left = list(replies)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]
