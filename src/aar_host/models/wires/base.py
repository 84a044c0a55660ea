"""What the host knows of a protocol in which models are asked.

A request is parsed, cleaned and written anew, so that both sides read the same; what would let a
box reach further than the model itself (tools that the provider runs, addresses that it fetches,
conversations that it keeps) is taken out or refused. An answer is read while it passes by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aar_host.models.usage import Usage
from aar_lab.errors import BadInput

MAX_OUTPUT = 128_000  # tokens: what a model may write where the request sets no limit
MAX_PROMPT = 1_100_000  # tokens: no model reads more, however many bytes an image has
MAX_TEXT = 1 << 16
MAX_TOOLS = 128
MAX_ARGUMENTS = 2000
MAX_EVENT = 32 << 20
MAX_DEPTH = 64  # of a message; no request is nested deeper
PICTURE = 32_000  # tokens: more than any picture is counted as, however few bytes it has
DONE = "[DONE]"
_OVERFLOW = re.compile(
    r"prompt is too long|context.?length|context.?window|input is too long|too many tokens", re.I
)

# Names of what a provider fetches, or reads from what it keeps.
_FETCHED = re.compile(r"(?:^|_)(?:url|uri|file_id)$")
# What a tool was called with, as the conversation tells it: words, whatever they are.
_WORDS = ("input", "arguments", "action", "operation", "function")

Body = dict[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """A call that the model's answer makes; `arguments` is cut to `MAX_ARGUMENTS` characters."""

    tool: str
    arguments: str


@dataclass
class Reading:
    """What is known of an answer so far.

    Args:
        usage: as reported; None until then.
        ended: the answer came to its own end.
        refused: the model or its provider declined to answer.
        error: the kind of failure that the answer itself tells of.
        text: the beginning of what the model wrote.
        seen: bytes of all that it wrote.
        hidden: it wrote what is not shown, or not as it was counted.
    """

    usage: Usage | None = None
    ended: bool = False
    refused: bool = False
    error: str = ""
    text: str = ""
    seen: int = 0
    hidden: bool = False
    tools: list[ToolCall] = field(default_factory=list)

    def say(self, text: Any) -> None:
        """The model wrote that."""
        if isinstance(text, str):
            self.seen += len(text.encode("utf-8", "replace"))
            self.text += text[: max(MAX_TEXT - len(self.text), 0)]

    def call(self, tool: Any, arguments: Any) -> None:
        """The model calls a tool, with a JSON object or with text."""
        given = arguments if isinstance(arguments, str) else json.dumps(arguments)
        if isinstance(tool, str) and len(self.tools) < MAX_TOOLS:
            self.tools.append(ToolCall(tool[:120], given[:MAX_ARGUMENTS]))

    @property
    def known(self) -> Usage | None:
        """The usage, as far as it is known, of an answer that was cut off."""
        return self.usage


class Reader(Protocol):
    """Reads one answer: either its events, one after the other, or the whole document."""

    reading: Reading

    def event(self, body: Body) -> None:
        """One event of a stream."""

    def document(self, body: Body) -> None:
        """An answer that is no stream."""


class WireProtocol(Protocol):
    """A protocol."""

    path: str
    free: Sequence[str]

    def clean(self, body: Body) -> Body:
        """The request as it may be sent on; `BadInput` if it may not."""

    def most_output(self, body: Body) -> int:
        """The most tokens that the answer can have."""

    def items(self, body: Body) -> Sequence[Any]:
        """What the request says, in order: system prompt, tools, messages."""

    def headers(self, key: str) -> Mapping[str, str]:
        """Those that identify the payer."""

    def reader(self) -> Reader:
        """For one answer."""

    def error(self, kind: str, message: str) -> Body:
        """The body of a failure; `kind` is one of `KINDS`."""

    def failure_event(self, message: str) -> bytes:
        """What ends a stream that cannot go on."""


def is_overflow(text: str) -> bool:
    """Whether a provider's words say that the conversation is too long for the model."""
    return _OVERFLOW.search(text) is not None


def as_object(value: Any) -> Body:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def count(value: Any) -> int:
    """The value if it is a number of tokens, else 0."""
    return value if type(value) is int and 0 <= value < 1 << 40 else 0


def limit_of(body: Body, *names: str) -> int:
    """The largest of the limits that a request sets, or `MAX_OUTPUT`."""
    return max((count(body.get(name)) for name in names), default=0) or MAX_OUTPUT


def refuse(body: Body, names: Sequence[str]) -> None:
    """`BadInput` if the request uses one of these fields."""
    for name in names:
        if body.get(name):
            raise BadInput(name, "is not allowed here", "Leave it out of the request.")


def without(body: Body, names: Sequence[str]) -> Body:
    """The request without these fields."""
    return {name: value for name, value in body.items() if name not in names}


def refuse_remote(parts: Any, depth: int = MAX_DEPTH) -> None:
    """`BadInput` if a message makes the provider fetch an address or one of its files."""
    for part in parts if isinstance(parts, list) else [parts]:
        if not isinstance(part, dict):
            continue
        inner = (as_object(value) for name, value in part.items() if name not in _WORDS)
        for holder in (part, *inner):
            _refuse_fetched(holder)
        for name in ("content", "output", "source"):
            if depth:
                refuse_remote(part.get(name), depth - 1)


def _refuse_fetched(holder: Body) -> None:
    for name, value in holder.items():
        named = isinstance(value, str) and _FETCHED.search(name)
        if named and not value.startswith("data:"):
            raise BadInput(
                f"{name} {value!r:.60}", "nothing is fetched for a box", "Send it inline."
            )


def beyond_bytes(said: Any, depth: int = MAX_DEPTH) -> int:
    """The most tokens that a request can have beyond one for each of its bytes.

    A picture of few bytes is many tokens, and pages of a document may share what they show.
    """
    if not depth:
        return MAX_PROMPT
    if isinstance(said, list):
        return sum(beyond_bytes(part, depth - 1) for part in said)
    if not isinstance(said, dict):
        return 0
    kind, source = str(said.get("type")), as_object(said.get("source"))
    own = PICTURE if "image" in kind or "screenshot" in kind or "image_url" in said else 0
    if any(word in kind for word in ("file", "document", "audio", "video")):
        own = 0 if source.get("type") in ("text", "content") else MAX_PROMPT
    return own + sum(beyond_bytes(part, depth - 1) for part in said.values())


class Events:
    """Cuts a stream of server-sent events into the data of each, whatever the chunks are."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._scanned = 0

    def feed(self, chunk: bytes) -> list[str]:
        """The data of the events that are complete now; `BadInput` if one is too long."""
        self._rest += chunk
        found = []
        while (end := self._rest.find(b"\n", self._scanned)) >= 0:
            line = bytes(self._rest[:end]).rstrip(b"\r")
            del self._rest[: end + 1]
            self._scanned = 0
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                found.append(b"\n".join(self._data).decode("utf-8", "replace"))
                self._data = []
        self._scanned = len(self._rest)
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT:
            raise BadInput("stream", "an event has no end", "Ask another server.")
        return found
