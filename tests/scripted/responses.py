"""The Responses protocol (POST /v1/responses): JSON and server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.scripted.script import Fault, Reply, new_id

STATUS = {
    Fault.RATE_LIMITED: (429, "rate_limit_exceeded", "Rate limit reached."),
    Fault.BROKEN: (500, "server_error", "The server had an error."),
    Fault.OVERFLOW: (
        400,
        "context_length_exceeded",
        "Your input exceeds the context window of this model.",
    ),
    Fault.BAD_KEY: (401, "invalid_api_key", "Incorrect API key provided."),
}


def error(fault: Fault) -> tuple[int, dict[str, Any]]:
    """The status and the body of a fault."""
    status, code, message = STATUS[fault]
    kind = "server_error" if status == 500 else "invalid_request_error"
    return status, {"error": {"type": kind, "code": code, "message": message, "param": None}}


def results(body: Mapping[str, Any]) -> list[str]:
    """The texts of the tool results."""
    items = body.get("input", ())
    found = [] if isinstance(items, str) else items
    return [_text(i["output"]) for i in found if i.get("type", "").endswith("_call_output")]


def tools(body: Mapping[str, Any]) -> dict[str, str | None]:
    """Names of the tools on offer, each with its namespace."""
    found: dict[str, str | None] = {}
    for tool in body.get("tools", ()):
        if tool.get("type") == "namespace":
            found |= {inner["name"]: tool["name"] for inner in tool["tools"]}
        else:
            found[tool.get("name", tool["type"])] = None
    return found


def _text(output: Any) -> str:
    if isinstance(output, str):
        return output
    return "".join(part.get("text", "") for part in output)


def _items(reply: Reply) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.text:
        part: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": []}
        if reply.fault is Fault.REFUSED:
            part = {"type": "refusal", "refusal": reply.text}
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        items.append(item | {"content": [part]})
    for number, call in enumerate(reply.calls):
        item = {
            "id": f"fc_{number}",
            "type": "function_call",
            "status": "completed",
            "call_id": new_id("call"),
            "name": call.name,
            "arguments": reply.arguments(call),
        }
        items.append(item if call.namespace is None else item | {"namespace": call.namespace})
    return items


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    given = usage.input + usage.cached_input
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": usage.cached_input},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + usage.output,
    }


def document(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """The whole answer."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": body.get("model", ""),
        "output": _items(reply),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": _usage(reply),
    }


def events(body: Mapping[str, Any], reply: Reply) -> Iterator[bytes]:
    """The answer as a stream."""
    whole = document(body, reply)
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    yield _event("response.created", response=begun)
    yield _event("response.in_progress", response=begun)
    for index, item in enumerate(whole["output"]):
        here = {"output_index": index, "item_id": item["id"]}
        empty = item | {"status": "in_progress"}
        empty |= {"content": []} if item["type"] == "message" else {"arguments": ""}
        yield _event("response.output_item.added", output_index=index, item=empty)
        if item["type"] == "message":
            yield from _part(here | {"content_index": 0}, item["content"][0])
        else:
            arguments = item["arguments"]
            yield _event("response.function_call_arguments.delta", **here, delta=arguments)
            yield _event("response.function_call_arguments.done", **here, arguments=arguments)
        yield _event("response.output_item.done", output_index=index, item=item)
    yield _event("response.completed", response=whole)


def _part(here: dict[str, Any], part: dict[str, Any]) -> Iterator[bytes]:
    field = "refusal" if part["type"] == "refusal" else "text"
    kind = "response.refusal" if field == "refusal" else "response.output_text"
    text, half = part[field], len(part[field]) // 2
    yield _event("response.content_part.added", **here, part=part | {field: ""})
    for piece in (text[:half], text[half:]):
        yield _event(f"{kind}.delta", **here, delta=piece)
    yield _event(f"{kind}.done", **here, **{field: text})
    yield _event("response.content_part.done", **here, part=part)


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
