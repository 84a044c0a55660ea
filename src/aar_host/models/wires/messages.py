"""The Messages protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aar_host.models.usage import Usage
from aar_host.models.wires.base import (
    MAX_ARGUMENTS,
    Body,
    Reading,
    as_list,
    as_object,
    count,
    is_overflow,
    limit_of,
    refuse,
    refuse_remote,
    without,
)

# Run by whoever asks; all other kinds are run by the provider.
OWN_TOOLS = ("custom", "bash_", "text_editor_", "memory_", "computer_")
REFUSED = ("mcp_servers", "container")
COSTLY = ("service_tier", "speed", "inference_geo")
SHOWN = ("text", "tool_use")  # kinds of blocks whose bytes are all that was written
COUNTED = (
    *("input_tokens", "cache_read_input_tokens"),
    *("cache_creation_input_tokens", "output_tokens"),
)
TYPES = {
    "over_budget": "permission_error",
    "no_key": "authentication_error",
    "rate_limited": "rate_limit_error",
    "too_large": "request_too_large",
    "bad_request": "invalid_request_error",
    "not_found": "not_found_error",
    "unavailable": "api_error",
}


class Messages:
    """See `base.WireProtocol`."""

    path = "/v1/messages"
    free: Sequence[str] = ("/v1/messages/count_tokens",)

    def clean(self, body: Body) -> Body:
        """See `base.WireProtocol`."""
        refuse(body, REFUSED)
        refuse_remote(body.get("system"))
        refuse_remote(as_list(body.get("messages")))
        found = without(body, COSTLY)
        if "tools" in body:
            found["tools"] = [tool for tool in as_list(body["tools"]) if _own(tool)]
        if "context_management" in body:
            found["context_management"] = _without_summaries(body["context_management"])
        return found

    def most_output(self, body: Body) -> int:
        """See `base.WireProtocol`."""
        return limit_of(body, "max_tokens")

    def items(self, body: Body) -> Sequence[Any]:
        """See `base.WireProtocol`."""
        head = [{name: body[name]} for name in ("system", "tools") if body.get(name)]
        return [*head, *as_list(body.get("messages"))]

    def headers(self, key: str) -> Mapping[str, str]:
        """See `base.WireProtocol`."""
        return {"x-api-key": key}

    def reader(self) -> MessagesReader:
        """See `base.WireProtocol`."""
        return MessagesReader()

    def error(self, kind: str, message: str) -> Body:
        """See `base.WireProtocol`."""
        return {"type": "error", "error": {"type": TYPES[kind], "message": message}}

    def failure_event(self, message: str) -> bytes:
        """See `base.WireProtocol`."""
        return f"event: error\ndata: {json.dumps(self.error('unavailable', message))}\n\n".encode()


@dataclass
class MessagesReading(Reading):
    """Usage comes in parts: the prompt's first, the output's last."""

    @property
    def known(self) -> Usage | None:
        """A cut-off answer has at most as many tokens as bytes were seen, if all were shown."""
        if self.usage is None:
            return None
        return replace(self.usage, output=max(self.usage.output, self.seen))


class MessagesReader:
    """See `base.Reader`."""

    def __init__(self) -> None:
        self.reading: Reading = MessagesReading()
        self._counts: dict[str, int] = {}
        self._summed: dict[str, int] = {}
        self._blocks: dict[int, tuple[Any, str]] = {}

    def event(self, body: Body) -> None:
        """See `base.Reader`."""
        kind, index = body.get("type"), count(body.get("index"))
        if kind == "message_start":
            self._use(as_object(body.get("message")).get("usage"))
        elif kind == "content_block_start":
            self._begin(index, as_object(body.get("content_block")))
        elif kind == "content_block_delta":
            self._grow(index, as_object(body.get("delta")))
        elif kind == "content_block_stop" and index in self._blocks:
            self.reading.call(*self._blocks.pop(index))
        elif kind == "message_delta":
            self._stop(as_object(body.get("delta")).get("stop_reason"))
            self._use(body.get("usage"))
        elif kind == "message_stop":
            self.reading.ended = True
        elif kind == "error":
            self._fail(as_object(body.get("error")))

    def document(self, body: Body) -> None:
        """See `base.Reader`."""
        if body.get("type") == "error":
            return self._fail(as_object(body.get("error")))
        for block in map(as_object, as_list(body.get("content"))):
            self.reading.say(block.get("text") or block.get("thinking"))
            if block.get("type") == "tool_use":
                self.reading.call(block.get("name"), block.get("input"))
        self._stop(body.get("stop_reason"))
        self._use(body.get("usage"))
        self.reading.ended = "content" in body

    def _begin(self, index: int, block: Body) -> None:
        self.reading.say(block.get("text"))
        self.reading.hidden |= block.get("type") not in SHOWN
        if block.get("type") == "tool_use":
            self._blocks[index] = (block.get("name"), "")

    def _grow(self, index: int, delta: Body) -> None:
        part = delta.get("partial_json")
        self.reading.say(delta.get("text") or delta.get("thinking"))
        if isinstance(part, str):
            self.reading.seen += len(part.encode("utf-8", "replace"))
            if index in self._blocks:
                name, before = self._blocks[index]
                self._blocks[index] = (name, (before + part)[:MAX_ARGUMENTS])

    def _stop(self, reason: Any) -> None:
        self.reading.refused |= reason == "refusal"
        if reason == "model_context_window_exceeded":
            self.reading.error = "overflow"

    def _use(self, usage: Any) -> None:
        """Later counts replace earlier ones; those that are left out stand."""
        if not isinstance(usage, dict):
            return
        self._counts |= {name: count(value) for name, value in usage.items() if value is not None}
        hour = count(as_object(usage.get("cache_creation")).get("ephemeral_1h_input_tokens"))
        hour = max(hour, self._counts.get("hour", 0))
        self._counts["hour"] = hour
        self._sum(as_list(usage.get("iterations")))
        counts = {name: self._counts.get(name, 0) + self._summed.get(name, 0) for name in COUNTED}
        self.reading.usage = Usage(
            input=counts["input_tokens"],
            cached_input=counts["cache_read_input_tokens"],
            cache_write=max(counts["cache_creation_input_tokens"] - hour, 0),
            output=counts["output_tokens"],
            cache_write_hour=hour,
        )

    def _sum(self, steps: list[Any]) -> None:
        """Summaries that the provider made on the way are not in the counts of the whole."""
        made = [step for step in map(as_object, steps) if step.get("type") == "compaction"]
        if made:
            self._summed = {name: sum(count(one.get(name)) for one in made) for name in COUNTED}

    def _fail(self, error: Body) -> None:
        kind = error.get("type")
        limited = kind in ("rate_limit_error", "overloaded_error")
        overflow = is_overflow(str(error.get("message")))
        self.reading.error = "rate_limited" if limited else "overflow" if overflow else "failed"


def _without_summaries(asked: Any) -> Body:
    """The provider would read the conversation once more than the reservation knows."""
    edits = [one for one in as_list(as_object(asked).get("edits")) if isinstance(one, dict)]
    kept = [one for one in edits if not str(one.get("type")).startswith("compact")]
    return as_object(asked) | {"edits": kept}


def _own(tool: Any) -> bool:
    kind = tool.get("type", "custom") if isinstance(tool, dict) else None
    return isinstance(kind, str) and kind.startswith(OWN_TOOLS)
