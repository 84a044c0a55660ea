"""How a session ended, told from its end and from the wire; never from what the agent says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aar_host.researchers.base import CallNote, CallOutcome, Cut, SessionEnd
from aar_lab.types import JobStatus

MAX_LOG = 400


@dataclass(frozen=True)
class Health:
    """One way in which a session ends.

    Args:
        state: its name, as in events.
        fault: what happened; empty if nothing is wrong.
        remedy: what the operator may do.
        final: no further session would end otherwise.
    """

    state: str
    fault: str = ""
    remedy: str = ""
    final: bool = False

    @property
    def good(self) -> bool:
        """Whether work was done."""
        return not self.fault


WORKED = Health("worked")
STOPPED = Health("stopped", final=True)
LONG = Health("long")
OVER_BUDGET = Health(
    "over_budget", "the budget for models is used up", "Raise it and resume the campaign.", True
)
NO_KEY = Health(
    "no_key", "the provider does not accept the key", "Correct the key and resume.", True
)
NO_WORK = Health(
    "no_work", "the model called no tool", "Choose a model that can use tools, or another driver."
)
STALLED = Health(
    "stalled", "nothing came from it and it asked no model", "See its transcript and its log."
)
FLOOD = Health("flood", "it wrote more output than a session may", "See its transcript.")
_CUT = {Cut.STOPPED: STOPPED, Cut.TIME: LONG, Cut.QUIET: STALLED}
_CUT |= {Cut.IDLE: NO_WORK, Cut.FLOOD: FLOOD}
_FINAL = {CallOutcome.OVER_BUDGET: OVER_BUDGET, CallOutcome.NO_KEY: NO_KEY}
_LAST = {
    CallOutcome.RATE_LIMITED: Health(
        "rate_limited", "the provider asks for fewer calls", "Run fewer researchers on this key."
    ),
    CallOutcome.REFUSED: Health(
        "refused", "the model refused to answer", "Read its transcript; choose another model."
    ),
    CallOutcome.OVERFLOW: Health(
        "overflow", "the context became too long for the model", "Choose one with a longer context."
    ),
    CallOutcome.DROPPED: Health(
        "dropped", "the model's answer broke off", "Look at the way to the provider."
    ),
    CallOutcome.FAILED: Health(
        "failed", "the provider answered with an error", "See the provider's state."
    ),
}
_STATUS = {
    JobStatus.OUT_OF_MEMORY: Health(
        "out_of_memory", "its box ran out of memory", "Raise AAR_AGENT_MEMORY_MB."
    ),
    JobStatus.DISK_FULL: Health(
        "disk_full", "its workspace is full", "Raise AAR_AGENT_DISK_MB, or clear the workspace."
    ),
    JobStatus.TIMEOUT: Health(
        "timeout", "its box ran into a limit of time", "See the limits of the campaign."
    ),
}


def classify(end: SessionEnd, calls: Sequence[CallNote], tools: bool = True) -> Health:
    """What a session was like.

    Args:
        calls: of its model.
        tools: whether an agent that calls no tool has done nothing.
    """
    if end.cut is Cut.STOPPED:
        return STOPPED
    for note in calls:
        if note.outcome in _FINAL:
            return _FINAL[note.outcome]
    last = _LAST.get(calls[-1].outcome) if calls else None
    if end.cut is Cut.IDLE and last is not None:
        return last
    if end.cut is not None:
        return _CUT[end.cut]
    if end.status in _STATUS:
        return _STATUS[end.status]
    if last is not None:
        return last
    if end.code != 0:
        log = end.log.strip()[-MAX_LOG:]
        return Health("crashed", f"its program ended with {end.code}: {log}", "See its log.")
    if tools and not any(note.tools for note in calls):
        return NO_WORK
    return WORKED


def idle_turns(calls: Sequence[CallNote]) -> int:
    """How many calls in a row, up to the last one, came to no call of a tool."""
    count = 0
    for note in reversed(calls):
        if note.outcome is CallOutcome.OK and note.tools:
            return count
        count += 1
    return count
