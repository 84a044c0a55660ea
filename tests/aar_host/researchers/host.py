"""A host for agents: the real server, the tiny problem, workers that train, a scripted model."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.aar_host.jobs.trained_tiny import build
from tests.scripted.script import Asked, Call, Reply, Script
from tests.scripted.server import KEY, Scripted, scripted

from aar_host.auth import issue
from aar_host.jobs.executor import LocalExecutor
from aar_host.jobs.grounds import SEEDS, Grounds
from aar_host.jobs.places import database_of, note_campaign
from aar_host.models.account import Account
from aar_host.models.desk import Desk
from aar_host.models.endpoint import Endpoint
from aar_host.models.forwarder import forwarder
from aar_host.models.prices import Price
from aar_host.models.redact import Redactor
from aar_host.models.transcript import Transcript
from aar_host.researchers.base import Wire
from aar_host.researchers.line import CallLog, Line
from aar_host.server.app import create_app
from aar_host.server.serving import listening
from aar_host.store import Store, open_store
from aar_host.store.campaigns import Plan, create_campaign
from aar_lab.types import Role

CONFIG = {
    "seeds": SEEDS,
    "max_submissions": 20,
    "objective": "Recover the gap.",
    "rules": ["Submit methods."],
    "seconds": 600,
}
METHOD = '''"""Sure labels

Uncertain weak labels are mostly wrong: leave them out.

Objective: cross entropy with hard labels.
Data: the inputs of which the weak supervisor is sure.
Procedure: keep the sure inputs; fit one student once.
Hyper-parameters: epochs = 3
"""
from aar_lab.learners.base import Plan
from aar_lab.types import Student

FAMILY = "data filtering"


def train(task, rng):
    student = task.student()
    kept = (abs(task.weak.probs - 0.5) > 0.1).nonzero()[0]
    plan = Plan(epochs=3)
    student.fit(task.inputs.take(kept), task.weak.probs[kept].round(), rng, plan=plan)
    return Student((student.save(),))
'''


@dataclass
class Host:
    """One campaign behind its server."""

    grounds: Grounds
    store: Store
    campaign: str
    socket: Path

    def token(self, name: str) -> str:
        """Of a researcher."""
        return issue(self.store, self.campaign, name, Role.RESEARCHER, 1)


@dataclass
class Desked:
    """A line, the model at its end, and the events that its forwarder recorded."""

    line: Line
    model: Scripted
    recorded: list[tuple[str, Mapping[str, Any]]]


@contextmanager
def silent(folder: Path, **config: Any) -> Iterator[Host]:
    """A campaign whose store is there, and whose server is not."""
    grounds = Grounds(folder)
    store = open_store(str(folder / "store.db"))
    campaign = create_campaign(store, Plan("tiny", "1", "d" * 64, "SEALED", "a1", CONFIG | config))
    (folder / "host.sock").touch()
    yield Host(grounds, store, campaign.id, folder / "host.sock")
    store.close()


@contextmanager
def hosting(folder: Path) -> Iterator[Host]:
    """Serve a campaign and train what is handed in."""
    grounds = build(folder)
    store = open_store(database_of(grounds.directory))
    plan = Plan("tiny", "1", "d" * 64, "SEALED", "a1", CONFIG)
    campaign = create_campaign(store, plan).id
    note_campaign(grounds.directory, campaign)
    executor = LocalExecutor(store, grounds.directory, workers=1)
    executor.start()
    done = threading.Event()

    def tend() -> None:
        while not done.wait(0.5):
            executor.tend()

    tending = threading.Thread(target=tend, daemon=True)
    tending.start()
    try:
        with listening(create_app(store, campaign), folder / "host.sock"):
            yield Host(grounds, store, campaign, folder / "host.sock")
    finally:
        done.set()
        tending.join()
        executor.stop()
        store.close()


@contextmanager
def lined(host: Host, name: str, script: Script, wire: Wire) -> Iterator[Desked]:
    """A line of a researcher to a scripted model, through a forwarder of its own."""
    log, redactor = CallLog(), Redactor([KEY])
    folder = Path(tempfile.mkdtemp(dir=host.socket.parent))
    folder.chmod(0o755)
    recorded: list[tuple[str, Mapping[str, Any]]] = []
    with scripted(script) as model:
        endpoint = Endpoint("model", wire, "scripted", Price(1.0, 1.0, 1.0, 1.0), model.url, KEY)
        desk = Desk(
            Account(host.store, host.campaign, name),
            {"model": endpoint},
            log.add,
            lambda kind, payload: recorded.append((kind, payload)),
            Transcript(folder / "transcript.jsonl", redactor),
            redactor,
        )
        with listening(forwarder(desk), folder / "model.sock"):
            line = Line("model", wire, folder / "model.sock", log.since)
            yield Desked(line, model, recorded)


def calling(name: str, arguments: Callable[[Asked], dict[str, object]]) -> Script:
    """A reply that calls one verb, whatever the protocol names it."""

    def script(asked: Asked) -> Reply:
        if f"mcp__lab__{name}" in asked.tools:
            return Reply(calls=[Call(f"mcp__lab__{name}", arguments(asked))])
        return Reply(calls=[Call(name, arguments(asked), asked.tools[name])])

    return script


def running(command: str) -> Script:
    """A reply that runs a command in the agent's shell."""

    def script(asked: Asked) -> Reply:
        if "Bash" in asked.tools:
            return Reply("I run it.", [Call("Bash", {"command": command})])
        return Reply("I run it.", [Call("exec_command", {"cmd": command})])

    return script
