"""`lab mcp` inside a real box: threads, processes of its own and the protocol on stdout."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import IO, Any

from tests.cards import docstring

from aar_host.sandbox import box_python
from aar_lab.types import JobStatus


def ask(stdin: IO[bytes], stdout: IO[bytes], method: str, **params: Any) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    stdin.write(json.dumps(message).encode() + b"\n")
    stdin.flush()
    found: dict[str, Any] = json.loads(stdout.readline())["result"]
    return found


def test_the_tools_work_inside_a_box(sandbox, spec):
    roomy = replace(spec, limits=replace(spec.limits, memory_bytes=1 << 30, wall_seconds=60))
    box = sandbox.start([*box_python(), "-m", "aar_lab.cli", "mcp"], roomy)
    client = {"clientInfo": {"name": "test", "version": "1"}, "capabilities": {}}
    hello = ask(box.stdin, box.stdout, "initialize", protocolVersion="2025-06-18", **client)
    assert hello["serverInfo"]["name"] == "lab"
    source = {"file": f"{docstring()}\n\ndef train(task, rng):\n    return task.student()\n"}
    checks = ask(box.stdin, box.stdout, "tools/call", name="check", arguments=source)
    assert checks["structuredContent"] == {"ok": True, "violations": []}
    tried = ask(box.stdin, box.stdout, "tools/call", name="try", arguments={"file": "absent.py"})
    assert json.loads(tried["content"][0]["text"])["error"]["code"] == "bad_source"
    box.stdin.close()
    assert box.wait().status is JobStatus.DONE
