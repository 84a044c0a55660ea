"""A campaign file for researchers of several drivers, whose models follow a script."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


def _call(asked: Asked, verb: str, command: str, **arguments: Any) -> Reply:
    """A verb as a tool; as a command of the shell where the agent began before it had the tools,
    which happens on a loaded machine."""
    for name in (f"mcp__lab__{verb}", f"lab_{verb}", verb):
        if name in asked.tools:
            return Reply(f"I call {verb}.", [Call(name, arguments, asked.tools[name])])
    return running(asked, f"lab {command} --json")


def running(asked: Asked, command: str) -> Reply:
    """A reply that runs a command in the agent's shell, whatever that is called."""
    for name, argument in (("Bash", "command"), ("exec_command", "cmd"), ("bash", "command")):
        if name in asked.tools:
            return Reply("I call the shell.", [Call(name, {argument: command})])
    return Reply("There is nothing that I could do.")


def research(asked: Asked) -> Reply:
    """Brief, look around, write, try, submit, wait for the score, post; then it is done."""
    source, turn = method_of(asked), asked.turn
    if set(asked.tools) == {"answer"}:  # the monitor's question
        return Reply(calls=[Call("answer", {"family": "data filtering"})])
    if turn == 0:
        return _call(asked, "brief", "brief")
    if turn == 1:
        look = "env; cat /proc/*/environ /run/* 2>/dev/null; find / -name '*.jsonl' 2>/dev/null"
        return running(asked, f"cat > method.py <<'END'\n{source}END\n{look}; head -3 brief.md")
    if turn == 2:
        return _call(asked, "try", "try method.py", file="method.py")
    if turn == 3:
        return _call(asked, "submit", "submit method.py", file=source)
    last = asked.results[-1]
    if re.search(r'"finding"|finding:', last):
        return Reply("I am done.")
    found = re.findall(r"submission\W+(\w{12})\b", "\n".join(asked.results))
    if not found or re.search(r"status\W+(queued|running)", last):
        known = {"submission": found[-1]} if found else {}
        words = f"scores {found[-1]} --wait 20" if found else "scores"
        return _call(asked, "scores", words, **known, wait=20)
    words = f"post result 'Sure labels.' --cites {found[-1]}"
    body = {"kind": "result", "body": "Sure labels.", "cites": [found[-1]]}
    return _call(asked, "post", words, **body)


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


SEARCHER = """
import base64, hashlib, os, re
WANTED = {wanted}
SKIP = ("/sys", "/usr", "/lib", "/bin", "/opt/packages", "/opt/agents", "/dev")
found, seen = [], 0
for parent, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if not os.path.join(parent, f).startswith(SKIP)
                  and "python3" not in f and f != "task"]
    for name in files:
        path = os.path.join(parent, name)
        # Of processes, what tells of others; the rest of /proc is the kernel's.
        if path.startswith("/proc") and name not in ("environ", "cmdline"):
            continue
        try:
            with open(path, "rb") as file:
                content = file.read(1 << 24)
        except OSError:
            continue
        seen += 1
        words = re.findall(rb"[A-Za-z0-9_-]{{16,}}", content)
        if any(hashlib.sha256(word).hexdigest()[:12] in WANTED for word in words):
            found.append(path)
print(f"FOUND={{found}} SEEN={{seen}}")
"""


def searcher(texts: list[str]) -> str:
    """A shell command that looks for texts in all that can be read; it knows them by hash only."""
    wanted = {hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts}
    source = SEARCHER.format(wanted=sorted(wanted))
    return f"cat > /tmp/look.py <<'END'\n{source}END\npython3 /tmp/look.py"


def secrets_in(folder: Path, texts: list[str]) -> list[Path]:
    """Files below a folder that hold one of the texts."""
    wanted = [text.encode() for text in texts]
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if any(text in path.read_bytes() for text in wanted)]


@contextmanager
def begun(cache: Path, *words: object) -> Iterator[subprocess.Popen[bytes]]:
    """`aar run` with these words; it is over when the context is."""
    process = subprocess.Popen(
        aar("run", *words, "--json"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(cache),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


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
