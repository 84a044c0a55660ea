"""The Responses protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aar_host.models.wires.base import (
    Body,
    Reading,
    as_list,
    as_object,
    limit_of,
    refuse,
    refuse_remote,
    without,
)
from aar_host.models.wires.openai import COSTLY, bearer, error_body, fault_of, usage_of
from aar_lab.errors import BadInput

# Run by whoever asks; all other kinds are run by the provider.
OWN_TOOLS = ("function", "custom", "local_shell", "apply_patch", "shell", "tool_search")
REFUSED = ("previous_response_id", "conversation", "prompt", "background")
ARGUMENTS: Mapping[str, str] = {  # kind of an output item that calls a tool → its arguments
    "function_call": "arguments",
    "custom_tool_call": "input",
    "local_shell_call": "action",
    "shell_call": "action",
    "apply_patch_call": "operation",
}


class Responses:
    """See `base.WireProtocol`."""

    path = "/v1/responses"
    free: Sequence[str] = ()

    def clean(self, body: Body) -> Body:
        """See `base.WireProtocol`."""
        refuse(body, REFUSED)
        refuse_remote(as_list(body.get("input")))
        found = without(body, COSTLY)
        if isinstance(body.get("input"), list):
            found["input"] = [_said(item) for item in body["input"]]
        if "tools" in body:
            found["tools"] = _own(body["tools"])
        return found

    def most_output(self, body: Body) -> int:
        """See `base.WireProtocol`."""
        return limit_of(body, "max_output_tokens")

    def items(self, body: Body) -> Sequence[Any]:
        """See `base.WireProtocol`."""
        head = [{name: body[name]} for name in ("instructions", "tools") if body.get(name)]
        asked = body.get("input")
        return [*head, *(asked if isinstance(asked, list) else [asked])]

    def headers(self, key: str) -> Mapping[str, str]:
        """See `base.WireProtocol`."""
        return bearer(key)

    def reader(self) -> ResponsesReader:
        """See `base.WireProtocol`."""
        return ResponsesReader()

    def error(self, kind: str, message: str) -> Body:
        """See `base.WireProtocol`."""
        return error_body(kind, message)

    def failure_event(self, message: str) -> bytes:
        """See `base.WireProtocol`."""
        body = {"type": "error", "code": "server_error", "message": message, "param": None}
        return f"event: error\ndata: {json.dumps(body)}\n\n".encode()


class ResponsesReader:
    """See `base.Reader`."""

    def __init__(self) -> None:
        self.reading = Reading()

    def event(self, body: Body) -> None:
        """See `base.Reader`."""
        kind = body.get("type")
        if kind == "response.output_item.done":
            self._item(as_object(body.get("item")))
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            self._end(as_object(body.get("response")))
        elif kind == "error":
            self.reading.error = fault_of(body)

    def document(self, body: Body) -> None:
        """See `base.Reader`."""
        for item in as_list(body.get("output")):
            self._item(as_object(item))
        self._end(body)

    def _item(self, item: Body) -> None:
        kind = str(item.get("type"))
        if kind in ARGUMENTS:
            name = item.get("name") or kind.removesuffix("_call")
            self.reading.call(name, item.get(ARGUMENTS[kind]))
        for part in map(as_object, as_list(item.get("content"))):
            self.reading.say(part.get("text") or part.get("refusal"))
            self.reading.refused |= part.get("type") == "refusal"

    def _end(self, response: Body) -> None:
        reading = self.reading
        reading.usage = usage_of(response, "input_tokens", "output_tokens")
        reading.ended = response.get("status") in ("completed", "incomplete", "failed")
        if response.get("status") == "failed" or response.get("error"):
            reading.error = fault_of(response.get("error"))
        reason = as_object(response.get("incomplete_details")).get("reason")
        reading.refused |= reason == "content_filter"


def _said(item: Any) -> Any:
    """An item of the conversation as it may be sent; tools may come in one."""
    if not isinstance(item, dict):
        return item
    if item.get("type") == "item_reference" or not (item.get("type") or "role" in item):
        raise BadInput("item_reference", "nothing kept is read for a box", "Send it inline.")
    return {**item, "tools": _own(item["tools"])} if "tools" in item else item


def _own(tools: Any) -> list[Body]:
    """The tools that the provider does not run, those in namespaces too."""
    found = []
    for tool in map(as_object, as_list(tools)):
        hosted = as_object(tool.get("environment")).get("type", "local") != "local"
        if tool.get("type") == "namespace":
            found.append({**tool, "tools": _own(tool.get("tools"))})
        elif tool.get("type") in OWN_TOOLS and not hosted:
            found.append(tool)
    return found
