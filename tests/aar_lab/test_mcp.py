"""The verbs as MCP tools: their schemas, their answers, and `lab mcp` over stdin and stdout."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

import httpx
import pytest
from mcp import Client as McpClient
from mcp import StdioServerParameters
from tests.cards import docstring
from tests.tiny import examples, weak_labels, write_bundle

from aar_lab.client import Client
from aar_lab.errors import BadInput, OverBudget
from aar_lab.mcp import checked, tool_server
from aar_lab.tools import VERBS, without_box

ERROR = OverBudget("3 submissions", "the pool is used up", "Post a finding.")
METHOD = docstring() + "\n\ndef train(task, rng): ...\n"
NAMED = {verb.name: verb for verb in VERBS}


def connect() -> Client:
    """A host that answers what it was sent, and refuses to tell scores."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json=json.loads(request.content))
        return httpx.Response(429, json={"error": ERROR.as_dict()})

    return Client("token", httpx.MockTransport(answer))


async def act(_context, verb, given):
    return verb.load()(connect, **given)


def call(name: str, **arguments):
    async def ask():
        async with McpClient(tool_server(without_box(), act)) as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(ask())


def error_of(result) -> dict:
    assert result.is_error
    assert result.structured_content is None
    return json.loads(result.content[0].text)["error"]


def test_each_verb_is_a_tool_with_the_schema_of_its_parameters():
    async def ask():
        async with McpClient(tool_server(VERBS, act)) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in asyncio.run(ask())}
    assert list(tools) == [verb.name for verb in VERBS]
    for verb in VERBS:
        shown = tools[verb.name].input_schema
        assert tools[verb.name].description == verb.summary
        assert shown["additionalProperties"] is False
        assert list(shown["properties"]) == [p.name for p in verb.parameters]
        for parameter in verb.parameters:
            assert shown["properties"][parameter.name]["description"] == parameter.help
    post = tools["post"].input_schema
    assert post["required"] == ["kind", "body"]
    assert post["properties"]["kind"]["enum"][0] == "hypothesis"
    assert post["properties"]["cites"]["items"] == {"type": "string"}
    wait = tools["scores"].input_schema["properties"]["wait"]
    assert (wait["type"], wait["default"], wait["maximum"]) == ("number", 0, 30)


def test_a_tool_answers_what_the_verb_returns():
    result = call("post", kind="insight", body="b", cites=["a"])
    assert result.structured_content == {"kind": "insight", "body": "b", "cites": ["a"]}
    assert json.loads(result.content[0].text) == result.structured_content


def test_a_source_is_handed_in_as_text_and_null_counts_as_absent():
    result = call("submit", file=METHOD, builds_on=None)
    assert result.structured_content["source"] == METHOD
    assert result.structured_content["card"]["title"] == "A title"


def test_a_typed_error_is_the_text_of_a_failed_tool():
    assert error_of(call("scores")) == ERROR.as_dict()


def test_a_path_is_no_source_and_nothing_is_opened(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(METHOD)
    assert error_of(call("submit", file=str(path)))["code"] == "bad_source"
    assert error_of(call("submit", file="/etc/passwd"))["code"] == "bad_source"


@pytest.mark.parametrize("name", ["try", "absent", "", "x" * 5000, "\0"])
def test_what_is_no_tool_is_told_so(name):
    error = error_of(call(name))
    assert error["code"] == "unknown_name"
    assert len(error["value"]) <= 200


@pytest.mark.parametrize(
    ("name", "arguments", "place"),
    [
        ("post", {"kind": "insight"}, "body"),
        ("post", {"kind": "rumour", "body": "b"}, "kind"),
        ("post", {"kind": "insight", "body": 3}, "body"),
        ("post", {"kind": "insight", "body": "b", "author": "eve"}, "author"),
        ("post", {"kind": "insight", "body": "b", "cites": "a"}, "cites"),
        ("scores", {"submission": "a", "wait": 31}, "wait"),
        ("scores", {"submission": "a", "wait": float("nan")}, "wait"),
        ("submit", {"file": "#" * 65_537}, "file"),
        ("submit", {"file": "ü" * 40_000}, "file"),
        ("check", {"file": "\ud800"}, "file"),
        ("findings", {"since": "x" * 100_000}, "since"),
        ("brief", {"x" * 5000: 1}, "x" * 200),
    ],
)
def test_wrong_arguments_are_named(name, arguments, place):
    with pytest.raises(BadInput) as caught:
        checked(NAMED[name], arguments)
    assert caught.value.value == place
    assert len(caught.value.fault) <= 200


@asynccontextmanager
async def box(**environment: str):
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "aar_lab.cli", "mcp"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)} | environment,
    )
    async with McpClient(command) as client:
        yield client


EXITING = "import os\nprint('no protocol', flush=True)\nos._exit(3)\n"
GOOD = "from aar_lab.methods.naive import train\n"


def test_stdio_serves_all_verbs_and_survives_a_method_that_exits(tmp_path):
    inputs, truth = examples(20)
    weak = weak_labels(inputs, truth)
    rows = dict(zip(weak.ids, weak.probs.tolist(), strict=True))
    (write_bundle(tmp_path / "data", inputs) / "weak_labels.json").write_text(json.dumps(rows))
    (tmp_path / "exits.py").write_text(EXITING)
    (tmp_path / "good.py").write_text(GOOD)

    async def talk():
        async with box(AAR_BOX_ROOT=str(tmp_path)) as client:
            return (
                [tool.name for tool in (await client.list_tools()).tools],
                await client.call_tool("brief"),
                await client.call_tool("try", {"file": str(tmp_path / "exits.py")}),
                await client.call_tool("try", {"file": str(tmp_path / "good.py"), "seed": 3}),
            )

    names, nobody, exited, tried = asyncio.run(talk())
    assert names == [verb.name for verb in VERBS]
    assert error_of(nobody)["value"] == "AAR_TOKEN"
    assert "it ended with exit 3" in error_of(exited)["fault"]
    assert (tried.structured_content["ok"], tried.structured_content["trained_on"]) == (True, 15)
