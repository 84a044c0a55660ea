"""The verbs as tools of Inspect: `lab mcp` in a box that lives as long as the session.

What comes out of the box is read as hostile: lines of limited length, at most so many, in time. A
server that died, or had to be ended, is started again at the next call.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import anyio
import anyio.to_thread
from inspect_ai.tool import Tool, ToolDef, ToolError, ToolParams
from pydantic import ValidationError

from aar_host.researchers.inspect.boxes import Boxes
from aar_host.sandbox import Box, box_python
from aar_lab.errors import JobFailed

PROTOCOL = "2025-06-18"
MAX_LINE_BYTES = 8 << 20
MAX_LINES = 1000  # before the answer to a request: notifications, and noise
_COMMAND = ("-m", "aar_lab.cli", "mcp")
_CLIENT = {"name": "aar", "version": "1"}


class Lab:
    """The client of one `lab mcp`.

    Args:
        boxes: where the server runs.
        seconds: that one request may take.
    """

    def __init__(self, boxes: Boxes, seconds: float) -> None:
        self._boxes, self._seconds = boxes, seconds
        self._numbers = itertools.count(1)
        self._box: Box | None = None

    async def tools(self) -> list[Tool]:
        """Each verb as a tool."""
        found = (await self._ask("tools/list", {})).get("tools")
        if not isinstance(found, list):
            raise _nonsense("tools/list")
        return [self._tool(entry) for entry in found]

    async def call(self, verb: str, arguments: Mapping[str, Any]) -> str:
        """What a verb prints; `ToolError` with its typed error if it fails."""
        try:
            result = await self._ask("tools/call", {"name": verb, "arguments": arguments})
            texts = [str(part["text"]) for part in result["content"]]
        except JobFailed as error:
            raise ToolError(str(error)) from error
        except (KeyError, TypeError) as error:
            raise ToolError(str(_nonsense(verb))) from error
        if result.get("isError"):
            raise ToolError("\n".join(texts))
        return "\n".join(texts)

    def close(self) -> None:
        """End the server. Idempotent."""
        box, self._box = self._box, None
        if box is not None:
            box.kill()
            for pipe in (box.stdin, box.stdout):
                with suppress(OSError, ValueError):
                    pipe.close()

    def _tool(self, entry: Mapping[str, Any]) -> Tool:
        try:
            name, described = str(entry["name"]), str(entry["description"])
            parameters = ToolParams.model_validate(entry["inputSchema"])
        except (KeyError, TypeError, ValidationError) as error:
            raise _nonsense("tools/list") from error

        async def execute(**arguments: Any) -> str:
            return await self.call(name, arguments)

        return ToolDef(execute, name, described, parameters).as_tool()

    async def _ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        async with self._boxes.busy:
            whole = False
            try:
                with anyio.fail_after(self._seconds):
                    found = await anyio.to_thread.run_sync(
                        self._exchange, method, params, abandon_on_cancel=True
                    )
                whole = True
                return found
            except TimeoutError as error:
                raise JobFailed(
                    params.get("name", method), "it took too long and was ended", "Ask for less."
                ) from error
            finally:
                if not whole:
                    self.close()

    def _exchange(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._box is None:
            self._box = self._boxes.start([*box_python(), *_COMMAND])
            hello = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": _CLIENT}
            self._request(self._box, "initialize", hello)
            _write(self._box, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self._request(self._box, method, params)

    def _request(self, box: Box, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        number = next(self._numbers)
        _write(box, {"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        for _ in range(MAX_LINES):
            line = box.stdout.readline(MAX_LINE_BYTES)
            if not line.endswith(b"\n"):
                raise _lost(box, method)
            answer = _parse(line)
            if answer.get("id") == number:
                result = answer.get("result")
                if isinstance(result, dict):
                    return result
                break
        raise _nonsense(method)


def _write(box: Box, message: Mapping[str, Any]) -> None:
    with suppress(BrokenPipeError):  # the answer that does not come says so
        box.stdin.write(json.dumps(message).encode() + b"\n")
        box.stdin.flush()


def _parse(line: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _lost(box: Box, method: str) -> JobFailed:
    with suppress(TimeoutError):
        box.wait(0.5)
    box.kill()
    done = box.wait()
    fault = f"the box of the verbs ended ({done.status.value}): {done.log.strip()[-300:]}"
    return JobFailed(method, fault, "Call it again.", done.status.value)


def _nonsense(method: str) -> JobFailed:
    return JobFailed(method, "the server of the verbs answers with nonsense", "Call it again.")
