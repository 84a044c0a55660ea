"""The Messages protocol (POST /v1/messages): JSON and server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.scripted.script import Fault, Reply, new_id

STATUS = {
    Fault.RATE_LIMITED: (429, "rate_limit_error", "Too many requests."),
    Fault.BROKEN: (500, "api_error", "Internal server error."),
    Fault.OVERFLOW: (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000"),
    Fault.BAD_KEY: (401, "authentication_error", "invalid x-api-key"),
}


def error(fault: Fault) -> tuple[int, dict[str, Any]]:
    """The status and the body of a fault."""
    status, kind, message = STATUS[fault]
    return status, {"type": "error", "error": {"type": kind, "message": message}}


def results(body: Mapping[str, Any]) -> list[str]:
    """The texts of the tool results."""
    found = []
    for message in body.get("messages", ()):
        blocks = message["content"] if isinstance(message["content"], list) else []
        found += [_text(b.get("content", "")) for b in blocks if b.get("type") == "tool_result"]
    return found


def tools(body: Mapping[str, Any]) -> dict[str, str | None]:
    """Names of the tools on offer."""
    return {tool["name"]: None for tool in body.get("tools", ())}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _blocks(reply: Reply) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if reply.text:
        blocks.append({"type": "text", "text": reply.text})
    for call in reply.calls:
        blocks.append(
            {
                "type": "tool_use",
                "id": new_id("toolu"),
                "name": call.name,
                "input": dict(call.arguments),
            }
        )
    return blocks


def _stop(reply: Reply) -> str:
    if reply.fault is Fault.REFUSED:
        return "refusal"
    return "tool_use" if reply.calls else "end_turn"


def _usage(reply: Reply) -> dict[str, int]:
    usage = reply.usage
    return {
        "input_tokens": usage.input,
        "cache_read_input_tokens": usage.cached_input,
        "cache_creation_input_tokens": usage.cache_write,
        "output_tokens": usage.output,
    }


def document(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """The whole answer."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", ""),
        "content": _blocks(reply),
        "stop_reason": _stop(reply),
        "stop_sequence": None,
        "usage": _usage(reply),
    }


def events(body: Mapping[str, Any], reply: Reply) -> Iterator[bytes]:
    """The answer as a stream."""
    start = document(body, reply) | {"content": [], "stop_reason": None}
    start["usage"] |= {"output_tokens": 1}
    yield _event("message_start", message=start)
    yield _event("ping")
    for index, block in enumerate(_blocks(reply)):
        yield from _block(index, block, reply)
    yield _event(
        "message_delta",
        delta={"stop_reason": _stop(reply), "stop_sequence": None},
        usage={"output_tokens": reply.usage.output},
    )
    yield _event("message_stop")


def _block(index: int, block: dict[str, Any], reply: Reply) -> Iterator[bytes]:
    if block["type"] == "text":
        empty, kind = block | {"text": ""}, "text_delta"
        field, texts = "text", _halves(block["text"])
    else:
        empty, kind = block | {"input": {}}, "input_json_delta"
        call = reply.calls[index - bool(reply.text)]
        field, texts = "partial_json", _halves(reply.arguments(call))
    yield _event("content_block_start", index=index, content_block=empty)
    for text in texts:
        yield _event("content_block_delta", index=index, delta={"type": kind, field: text})
    yield _event("content_block_stop", index=index)


def _halves(text: str) -> Sequence[str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
