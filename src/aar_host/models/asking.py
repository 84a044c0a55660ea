"""One question to a model of one's own, answered by a JSON object; paid from an account."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from aar_host.researchers.base import Wire
from aar_lab.errors import BadInput

MAX_TOKENS = 4096
SECONDS = 300.0
TOOL = "answer"
# What reading an answer of another shape raises; a model that refuses has no block to find.
_NO_OBJECT = (LookupError, TypeError, ValueError, AttributeError, RecursionError, StopIteration)

Json = Mapping[str, Any]


def ask_through(socket: Path, wire: Wire, model: str) -> Callable[[str, str, Json], object]:
    """A function (system, user, JSON schema) → the object that the model answers with.

    Args:
        socket: of a forwarder, which checks, pays and keeps what is said.

    The function raises `BadInput` if there is no such object, `TimeoutError` if nothing comes.
    """
    path, build, read = _WIRES[wire]

    def ask(system: str, user: str, schema: Json) -> object:
        transport = httpx.HTTPTransport(uds=str(socket))
        try:
            with httpx.Client(transport=transport, timeout=SECONDS) as http:
                response = http.post(f"http://model{path}", json=build(model, system, user, schema))
                body = response.json()
        except httpx.TimeoutException as error:
            raise TimeoutError(str(error)) from error
        except (httpx.HTTPError, ValueError) as error:
            raise BadInput(model, f"it gave no answer ({error!r:.200})", "Ask again.") from error
        if response.is_error:
            raise BadInput(model, f"status {response.status_code}: {body!r:.200}", "Ask again.")
        try:
            return read(body)
        except _NO_OBJECT as error:
            raise BadInput(model, f"no object in its answer ({error!r:.80})", "Ask again.") from (
                error
            )

    return ask


def _messages(model: str, system: str, user: str, schema: Json) -> dict[str, Any]:
    tool = {"name": TOOL, "description": "Give the answer.", "input_schema": schema}
    return {
        **{"model": model, "max_tokens": MAX_TOKENS, "system": system},
        **{"messages": [{"role": "user", "content": user}]},
        **{"tools": [tool], "tool_choice": {"type": "tool", "name": TOOL}},
    }


def _read_messages(body: Any) -> object:
    return next(block["input"] for block in body["content"] if block["type"] == "tool_use")


def _responses(model: str, system: str, user: str, schema: Json) -> dict[str, Any]:
    shape = {"type": "json_schema", "name": TOOL, "schema": schema, "strict": True}
    return {
        **{"model": model, "instructions": system, "input": user, "store": False},
        **{"max_output_tokens": MAX_TOKENS, "text": {"format": shape}},
    }


def _read_responses(body: Any) -> object:
    parts = [part for item in body["output"] for part in item.get("content") or ()]
    texts = [part["text"] for part in parts if part["type"] == "output_text"]
    return json.loads("".join(texts))


def _chat(model: str, system: str, user: str, schema: Json) -> dict[str, Any]:
    shape = {"name": TOOL, "schema": schema, "strict": True}
    said = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return {
        **{"model": model, "messages": said, "max_tokens": MAX_TOKENS},
        **{"response_format": {"type": "json_schema", "json_schema": shape}},
    }


def _read_chat(body: Any) -> object:
    return json.loads(body["choices"][0]["message"]["content"])


_WIRES = {
    Wire.MESSAGES: ("/v1/messages", _messages, _read_messages),
    Wire.RESPONSES: ("/v1/responses", _responses, _read_responses),
    Wire.CHAT: ("/v1/chat/completions", _chat, _read_chat),
}
