"""A host for agents: the real server, the tiny problem, workers that train, a scripted model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.aar_host.jobs.trained_tiny import build
from tests.scripted.script import Asked, Call, Fault, Reply, Script

from aar_host.auth import issue
from aar_host.jobs.executor import LocalExecutor
from aar_host.jobs.grounds import SEEDS, Grounds
from aar_host.jobs.places import database_of, note_campaign
from aar_host.researchers.base import CallOutcome
from aar_host.researchers.line import CallLog
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
OUTCOMES = {
    Fault.RATE_LIMITED: CallOutcome.RATE_LIMITED,
    Fault.BROKEN: CallOutcome.FAILED,
    Fault.OVERFLOW: CallOutcome.OVERFLOW,
    Fault.BAD_KEY: CallOutcome.NO_KEY,
    Fault.REFUSED: CallOutcome.REFUSED,
    Fault.DROPPED: CallOutcome.DROPPED,
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


def noted(script: Script, log: CallLog) -> Script:
    """The script, with every call told to the log as a forwarder would."""

    def script_(asked: Asked) -> Reply:
        reply = script(asked)
        outcome = OUTCOMES.get(reply.fault, CallOutcome.OK) if reply.fault else CallOutcome.OK
        log.tell(outcome, tuple(call.name for call in reply.calls))
        return reply

    return script_


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
