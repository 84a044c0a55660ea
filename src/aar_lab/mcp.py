"""A researcher's verbs as tools of a server of the Model Context Protocol (MCP).

`serve` speaks it over stdin and stdout, inside a box. The host mounts the same tools in its
application, less those that need a box (`aar_lab.tools.without_box`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
from importlib.metadata import version
from typing import Annotated, Any, Literal

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from aar_lab.errors import BadInput, JobFailed, LabError, UnknownName, from_dict
from aar_lab.tools import VERBS
from aar_lab.verbs import Connect, Parameter, TextFile, Verb

MAX_TOLD = 200
INSTRUCTIONS = "A campaign of research: begin with `brief`. An error says how to remedy it."

Given = dict[str, Any]
Act = Callable[[ServerRequestContext[Any, Any], Verb, Given], Awaitable[dict[str, Any]]]


def tool_server(verbs: Sequence[Verb], act: Act) -> Server[Any]:
    """The server whose tools are the verbs.

    Args:
        act: carries a verb out with checked arguments, for whoever sent the request; its result
            is the tool's, a `LabError` that it raises becomes {"error": {...}} of a failed tool.
    """
    known = {verb.name: verb for verb in verbs}
    tools = [_tool(verb) for verb in verbs]

    async def told(
        _context: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def called(
        context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            verb = known.get(params.name)
            if verb is None:
                raise UnknownName(
                    f"{params.name!r:.{MAX_TOLD}}", "there is no such tool", "List the tools."
                )
            return _result(await act(context, verb, checked(verb, params.arguments or {})))
        except LabError as error:
            return _result({"error": error.as_dict()}, failed=True)

    return Server(
        "lab",
        version=version("automated-alignment-researchers"),
        instructions=INSTRUCTIONS,
        on_list_tools=told,
        on_call_tool=called,
    )


def checked(verb: Verb, arguments: Given) -> Given:
    """The arguments as the verb's function takes them, defaults filled in; null counts as absent.

    Raises:
        BadInput: one is missing, unknown, of a wrong type or out of range.
    """
    try:
        found = _model(verb).model_validate(
            {name: value for name, value in arguments.items() if value is not None}
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))[:MAX_TOLD] or verb.name
        raise BadInput(place, first["msg"][:MAX_TOLD], "See the tool's input schema.") from error
    return found.model_dump(exclude_none=True)


def serve(connect: Connect) -> None:
    """Serve all verbs over stdin and stdout until stdin ends. Stdout carries the protocol alone:
    whatever else is printed meanwhile goes to stderr."""
    anyio.run(_serve, tool_server(VERBS, partial(_act_in_box, connect)))


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (messages, answers):
        await server.run(messages, answers, server.create_initialization_options())


async def _act_in_box(
    connect: Connect, _context: ServerRequestContext[Any, Any], verb: Verb, given: Given
) -> dict[str, Any]:
    if verb.local:
        return await anyio.to_thread.run_sync(_run_apart, verb, given)
    return await anyio.to_thread.run_sync(partial(verb.load(), connect, **given))


def _run_apart(verb: Verb, given: Given) -> dict[str, Any]:
    """Run `lab VERB` in a process of its own: a method may hang, exit or use up memory."""
    present = [parameter for parameter in verb.parameters if parameter.name in given]
    options = [
        f"--{p.name.replace('_', '-')}={given[p.name]}" for p in present if p.place == "option"
    ]
    named = [str(given[p.name]) for p in present if p.place == "argument"]
    command = [sys.executable, "-P", "-s", "-m", "aar_lab.cli", verb.name, "--json", *options]
    done = subprocess.run(
        [*command, "--", *named], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False
    )
    try:
        result = json.loads(done.stdout)
    except ValueError as error:
        fault = f"it ended with exit {done.returncode} and no JSON"
        raise JobFailed(verb.name, fault, "Correct the method.") from error
    if done.returncode:
        raise from_dict(result["error"])
    return dict(result)


def _result(document: dict[str, Any], failed: bool = False) -> types.CallToolResult:
    text = types.TextContent(text=json.dumps(document))
    if failed:
        return types.CallToolResult(content=[text], is_error=True)
    return types.CallToolResult(content=[text], structured_content=document)


def _tool(verb: Verb) -> types.Tool:
    schema = _model(verb).model_json_schema()
    for entry in schema["properties"].values():
        del entry["title"]
        if entry.get("default", 0) is None:
            del entry["default"]
    del schema["title"]
    return types.Tool(name=verb.name, description=verb.summary, input_schema=schema)


@cache
def _model(verb: Verb) -> type[BaseModel]:
    fields: dict[str, Any] = {p.name: (_annotation(p), _field(p)) for p in verb.parameters}
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    model: type[BaseModel] = create_model(verb.name, __config__=config, **fields)
    return model


def _annotation(parameter: Parameter) -> Any:
    kind: Any = parameter.kind
    if parameter.choices:
        kind = Literal[parameter.choices]
    elif kind in (str, TextFile):
        kind = Annotated[str, AfterValidator(partial(_short, parameter.limit))]
    return list[kind] if parameter.many else kind


def _field(parameter: Parameter) -> Any:
    described: dict[str, Any] = {"description": parameter.help, "le": parameter.most}
    if parameter.many:
        return Field(default=[], **described)
    if parameter.place == "argument" and not parameter.optional:
        return Field(**described)
    return Field(default=parameter.default, **described)


def _short(limit: int, text: str) -> str:
    if len(text.encode("utf-8")) > limit:  # a lone surrogate raises a ValueError here
        raise ValueError(f"more than {limit} bytes")
    return text
