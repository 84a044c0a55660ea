"""A campaign file for researchers of several drivers, whose models follow a script."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.aar_host.fleet.crash_driver import PROBLEM
from tests.aar_host.researchers.host import METHOD
from tests.scripted.script import Asked, Call, Reply

KEY = "sk-test-key-that-no-box-may-hold"
KEY_NAME = "AAR_TEST_KEY"


def name_of(asked: Asked) -> str:
    """Who asks: every brief begins with the researcher's name."""
    found = re.search(r"# You are (\w+), a researcher", json.dumps(asked.body))
    return found.group(1) if found else "nobody"


def method_of(asked: Asked) -> str:
    """A method of the researcher's own: the host takes each source once."""
    return METHOD.replace("Sure labels", f"Sure labels of {name_of(asked)}")


def _tool(asked: Asked, verb: str) -> tuple[str, str | None]:
    name = next(name for name in (f"mcp__lab__{verb}", f"lab_{verb}", verb) if name in asked.tools)
    return name, asked.tools[name]


def _call(asked: Asked, verb: str, **arguments: Any) -> Reply:
    name, namespace = _tool(asked, verb)
    return Reply(f"I call {verb}.", [Call(name, arguments, namespace)])


def _shell(asked: Asked, command: str) -> Reply:
    for name, argument in (("Bash", "command"), ("exec_command", "cmd"), ("bash", "command")):
        if name in asked.tools:
            return Reply("I look around.", [Call(name, {argument: command})])
    raise AssertionError(f"no shell among {sorted(asked.tools)}")


def research(asked: Asked) -> Reply:
    """Brief, look around, write, try, submit, wait for the score, post; then it is done."""
    source, turn = method_of(asked), asked.turn
    if turn == 0:
        return _call(asked, "brief")
    if turn == 1:
        look = "env; cat /proc/*/environ /run/* 2>/dev/null; find / -name '*.jsonl' 2>/dev/null"
        return _shell(asked, f"cat > method.py <<'END'\n{source}END\n{look}; head -3 brief.md")
    if turn == 2:
        return _call(asked, "try", file="method.py")
    if turn == 3:
        return _call(asked, "submit", file=source)
    last = asked.results[-1]
    if re.search(r'"finding"|finding:', last):
        return Reply("I am done.")
    found = re.findall(r"submission\W+(\w{12})\b", "\n".join(asked.results))
    if not found or re.search(r"status\W+(queued|running)", last):
        known = {"submission": found[-1]} if found else {}
        return _call(asked, "scores", **known, wait=20)
    return _call(asked, "post", kind="result", body="Sure labels.", cites=[found[-1]])


def campaign_file(folder: Path, url: str, seats: list[dict[str, Any]], **more: Any) -> Path:
    """A campaign on the tiny problem; its models are those of a scripted server."""
    price = {"input": 1.0, "output": 5.0}
    common = {"base_url": url, "key": KEY_NAME, "price": price}
    models = {
        wire: {"wire": wire, "model": f"scripted-{wire}", **common}
        for wire in ("messages", "responses", "chat")
    }
    path = folder / "campaign.yaml"
    body = {"problem": str(PROBLEM), "models": models, "researchers": seats, **more}
    path.write_text(yaml.safe_dump(body))
    return path


def environment(cache: Path) -> dict[str, str]:
    """Of `aar`: with the key, and a cache of its own."""
    return {**os.environ, KEY_NAME: KEY, "AAR_CACHE_DIR": str(cache), "OMP_NUM_THREADS": "1"}


def aar(*words: object) -> list[str]:
    """The command."""
    return [sys.executable, "-c", "from aar_host.cli import main; main()", *map(str, words)]


def run(cache: Path, *words: object, timeout: float = 900.0) -> Mapping[str, Any]:
    """What `aar … --json` prints, once it has ended well."""
    done = subprocess.run(
        aar(*words, "--json"),
        capture_output=True,
        text=True,
        env=environment(cache),
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-1000:], done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found
