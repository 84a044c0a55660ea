"""The client of `lab mcp` at servers that behave badly."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import anyio
import pytest
from inspect_ai.tool import ToolDef, ToolError

from aar_host.researchers.inspect.boxes import Boxes
from aar_host.researchers.inspect.verbs import Lab
from aar_host.sandbox import BoxSpec, Limits, new_workspace, remove_workspace, start_plain
from aar_lab.errors import JobFailed

LIMITS = Limits(1 << 30, wall_seconds=60, cpu_seconds=60, pids=64, disk_bytes=1 << 20)
SERVER = """
import json, sys, time
tool = {"name": "say", "description": "Says.", "inputSchema": {"type": "object", "properties": {}}}
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    result = {"tools": [tool], "content": [{"type": "text", "text": "said"}]}
    params = asked["params"]
    act = params.get("arguments", {}).get("act")
    print(json.dumps({"jsonrpc": "2.0", "method": "notifications/message"}), flush=True)
    if act == "die":
        sys.exit("no more")
    if act == "hang":
        time.sleep(60)
    if act == "flood":
        while True:
            print("x" * 100000)
    if act == "noise":
        for _ in range(2000):
            print("[" * 10000)
        sys.stdout.flush()
    if act == "fail":
        result["isError"] = True
    if act == "shape":
        result = {"content": "text"}
    if act == "list":
        result = []
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


class Scripted:
    """Boxes whose server is a plain process of that script."""

    def __init__(self):
        self.busy, self.started = anyio.Lock(), 0

    def start(self, words):
        self.started += 1
        command = [sys.executable, "-I", "-c", SERVER]
        return start_plain(command, BoxSpec(Path("/nonexistent"), LIMITS), Path("/"))


def use(*acts, seconds=30.0):
    """What each call answers, or the error; and how often a server was started."""

    async def run():
        boxes, found = Scripted(), []
        lab = Lab(boxes, seconds)
        for act in acts:
            try:
                found.append(await lab.call("say", {"act": act}))
            except ToolError as error:
                found.append(error)
        lab.close()
        return found, boxes.started

    return asyncio.run(run())


def test_calls_share_a_server():
    assert use("", "", "") == (["said"] * 3, 1)


def test_a_failed_verb_is_an_error_of_the_tool():
    (failed, said), started = use("fail", "")
    assert str(failed) == "said"
    assert (said, started) == ("said", 1)


@pytest.mark.parametrize(
    ("act", "fault"),
    [("die", "no more"), ("hang", "too long"), ("noise", "nonsense"), ("list", "nonsense")],
)
def test_a_server_that_is_lost_is_started_again(act, fault):
    (failed, said), started = use(act, "", seconds=3.0 if act == "hang" else 60.0)
    assert fault in str(failed)
    assert (said, started) == ("said", 2)


def test_a_flood_ends():
    (failed, said), started = use("flood", "")
    assert isinstance(failed, ToolError)
    assert (said, started) == ("said", 2)


def test_an_answer_of_the_wrong_shape():
    (failed,), _ = use("shape")
    assert "nonsense" in str(failed)


def test_tools_of_the_real_server(sandbox, tmp_path):
    workspace = new_workspace(f"verbs-{tmp_path.name}")

    async def list_them():
        lab = Lab(Boxes(sandbox, BoxSpec(workspace, LIMITS)), 60.0)
        try:
            return [ToolDef(tool) for tool in await lab.tools()], await lab.call(
                "check", {"file": "x = 1\n"}
            )
        finally:
            lab.close()

    try:
        tools, checked = asyncio.run(list_them())
    finally:
        remove_workspace(workspace)
    assert {"brief", "try", "submit", "scores", "post"} <= {tool.name for tool in tools}
    submit = next(tool for tool in tools if tool.name == "submit")
    assert submit.parameters.required == ["file"]
    assert json.loads(checked)["ok"] is False


def test_a_box_that_does_not_start(sandbox):
    class Broken(Scripted):
        def start(self, words):
            return start_plain(["false"], BoxSpec(Path("/nonexistent"), LIMITS), Path("/"))

    async def run():
        await Lab(Broken(), 5.0).tools()

    with pytest.raises(JobFailed, match="ended"):
        asyncio.run(run())
