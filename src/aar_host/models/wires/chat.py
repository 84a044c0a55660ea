"""The chat completions protocol, which many servers speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aar_host.models.usage import Usage
from aar_host.models.wires.base import (
    MAX_ARGUMENTS,
    MAX_TOOLS,
    Body,
    Reading,
    as_list,
    as_object,
    count,
    limit_of,
    refuse_remote,
)
from aar_host.models.wires.openai import bearer, data, error_body, fault_of, usage_of
from aar_lab.errors import BadInput

OWN_TOOLS = ("function", "custom")
# All that is sent on. Servers take fields of their own, which name hosts to fetch from, other
# models to ask, or code to run.
KNOWN = frozenset(
    "model messages tools tool_choice parallel_tool_calls functions function_call stream n stop "
    "seed max_tokens max_completion_tokens temperature top_p top_k min_p frequency_penalty user "
    "presence_penalty repetition_penalty logit_bias logprobs top_logprobs response_format "
    "thinking reasoning_effort verbosity prompt_cache_key safety_identifier "
    "chat_template_kwargs".split()
)


class Chat:
    """See `base.WireProtocol`."""

    path = "/v1/chat/completions"
    free: Sequence[str] = ()

    def clean(self, body: Body) -> Body:
        """Usage is asked for, since a stream tells none by itself; see `base.WireProtocol`."""
        if body.get("n") not in (None, 1):
            raise BadInput(f"n = {body['n']!r:.20}", "one answer is given", "Ask again for more.")
        refuse_remote(as_list(body.get("messages")))
        found = {name: value for name, value in body.items() if name in KNOWN}
        if "tools" in body:
            tools = map(as_object, as_list(body["tools"]))
            found["tools"] = [tool for tool in tools if tool.get("type") in OWN_TOOLS]
        if body.get("stream"):
            found["stream_options"] = {"include_usage": True}
        return found

    def most_output(self, body: Body) -> int:
        """See `base.WireProtocol`."""
        return limit_of(body, "max_tokens", "max_completion_tokens")

    def items(self, body: Body) -> Sequence[Any]:
        """See `base.WireProtocol`."""
        head = [{"tools": body["tools"]}] if body.get("tools") else []
        return [*head, *as_list(body.get("messages"))]

    def headers(self, key: str) -> Mapping[str, str]:
        """See `base.WireProtocol`."""
        return bearer(key)

    def reader(self) -> ChatReader:
        """See `base.WireProtocol`."""
        return ChatReader()

    def error(self, kind: str, message: str) -> Body:
        """See `base.WireProtocol`."""
        return error_body(kind, message)

    def failure_event(self, message: str) -> bytes:
        """See `base.WireProtocol`."""
        return data(self.error("unavailable", message))


class ChatReader:
    """See `base.Reader`."""

    def __init__(self) -> None:
        self.reading = Reading()
        self._calls: dict[int, tuple[Any, str]] = {}

    def event(self, body: Body) -> None:
        """See `base.Reader`."""
        if body.get("error"):
            self.reading.error = fault_of(body["error"])
        for choice in map(as_object, as_list(body.get("choices"))):
            delta = as_object(choice.get("delta"))
            self._said(delta)
            for part in map(as_object, as_list(delta.get("tool_calls"))):
                self._grow(count(part.get("index")), as_object(part.get("function")))
            self._finish(choice.get("finish_reason"))
        self.reading.usage = _usage(body) or self.reading.usage

    def document(self, body: Body) -> None:
        """See `base.Reader`."""
        if body.get("error"):
            self.reading.error = fault_of(body["error"])
        for choice in map(as_object, as_list(body.get("choices"))):
            message = as_object(choice.get("message"))
            self._said(message)
            for call in map(as_object, as_list(message.get("tool_calls"))):
                function = as_object(call.get("function"))
                self.reading.call(function.get("name"), function.get("arguments"))
            self._finish(choice.get("finish_reason"))
        self.reading.usage = _usage(body)

    def _said(self, message: Body) -> None:
        self.reading.say(message.get("content"))
        self.reading.say(message.get("refusal"))
        self.reading.refused |= bool(message.get("refusal"))

    def _grow(self, index: int, function: Body) -> None:
        name, before = self._calls.get(index, (None, ""))
        part = function.get("arguments")
        more = (before + part)[:MAX_ARGUMENTS] if isinstance(part, str) else before
        if index in self._calls or len(self._calls) < MAX_TOOLS:
            self._calls[index] = (name or function.get("name"), more)

    def _finish(self, reason: Any) -> None:
        if reason is None:
            return
        for call in self._calls.values():
            self.reading.call(*call)
        self._calls = {}
        self.reading.ended = True
        self.reading.refused |= reason == "content_filter"


def _usage(body: Body) -> Usage | None:
    return usage_of(body, "prompt_tokens", "completion_tokens")
