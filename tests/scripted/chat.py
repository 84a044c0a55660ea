"""The chat protocol (POST /v1/chat/completions): JSON and server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.scripted import responses
from tests.scripted.script import Fault, Reply, new_id

STATUS = responses.STATUS
error = responses.error


def results(body: Mapping[str, Any]) -> list[str]:
    """The texts of the tool results."""
    return [_text(m["content"]) for m in body.get("messages", ()) if m["role"] == "tool"]


def tools(body: Mapping[str, Any]) -> dict[str, str | None]:
    """Names of the tools on offer."""
    return {tool["function"]["name"]: None for tool in body.get("tools", ())}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id("call"),
            "type": "function",
            "function": {"name": call.name, "arguments": reply.arguments(call)},
        }
        for call in reply.calls
    ]


def _message(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.fault is Fault.REFUSED:
        message |= {"content": None, "refusal": reply.text or "No."}
    if reply.calls:
        message["tool_calls"] = _calls(reply)
    return message


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    given = usage.input + usage.cached_input
    return {
        "prompt_tokens": given,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input},
        "completion_tokens": usage.output,
        "total_tokens": given + usage.output,
    }


def _head(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body.get("model", "")}


def document(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """The whole answer."""
    reason = "tool_calls" if reply.calls else "stop"
    choice = {"index": 0, "message": _message(reply), "finish_reason": reason, "logprobs": None}
    return _head(body, "chat.completion") | {"choices": [choice], "usage": _usage(reply)}


def events(body: Mapping[str, Any], reply: Reply) -> Iterator[bytes]:
    """The answer as a stream; it tells its usage only if it is asked to."""
    head, message = _head(body, "chat.completion.chunk"), _message(reply)
    calls = message.pop("tool_calls", [])
    text = message["content"] or ""
    half = len(text) // 2
    yield _chunk(head, message | {"content": text[:half] if text else None})
    if text:
        yield _chunk(head, {"content": text[half:]})
    for index, call in enumerate(calls):
        arguments = call["function"].pop("arguments")
        begun = call | {"index": index, "function": call["function"] | {"arguments": ""}}
        yield _chunk(head, {"tool_calls": [begun]})
        rest = {"index": index, "function": {"arguments": arguments}}
        yield _chunk(head, {"tool_calls": [rest]})
    yield _chunk(head, {}, "tool_calls" if calls else "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _data(head | {"choices": [], "usage": _usage(reply)})
    yield b"data: [DONE]\n\n"


def _chunk(head: dict[str, Any], delta: dict[str, Any], reason: str | None = None) -> bytes:
    return _data(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def _data(document: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(document)}\n\n".encode()
