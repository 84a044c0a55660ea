"""How sessions ended."""

from __future__ import annotations

import pytest

from aar_host.researchers.base import CallNote, CallOutcome, Cut, SessionEnd
from aar_host.researchers.health import classify, idle_turns
from aar_lab.types import JobStatus

FINE = SessionEnd(JobStatus.DONE, 0, "")
CRASHED = SessionEnd(JobStatus.CRASHED, 7, "Traceback: no such thing\n")


def cut(why):
    return SessionEnd(JobStatus.CANCELLED, None, "", why)


def calls(*kinds):
    """`tool` and `talk` are good answers, with and without a tool call."""
    good = {"tool": ("submit",), "talk": ()}
    return [
        CallNote(i, CallOutcome.OK, good[kind]) if kind in good else CallNote(i, CallOutcome(kind))
        for i, kind in enumerate(kinds, 1)
    ]


@pytest.mark.parametrize(
    ("end", "kinds", "state"),
    [
        (FINE, ["tool", "talk"], "worked"),
        (FINE, ["talk"], "no_work"),
        (FINE, [], "no_work"),
        (CRASHED, ["tool"], "crashed"),
        (CRASHED, ["tool", "rate_limited"], "rate_limited"),
        (FINE, ["tool", "refused"], "refused"),
        (FINE, ["tool", "overflow"], "overflow"),
        (CRASHED, ["tool", "dropped"], "dropped"),
        (CRASHED, ["failed"], "failed"),
        (FINE, ["tool", "rate_limited", "talk"], "worked"),
        (CRASHED, ["tool", "over_budget", "over_budget"], "over_budget"),
        (cut(Cut.QUIET), ["tool", "over_budget"], "over_budget"),
        (CRASHED, ["no_key"], "no_key"),
        (cut(Cut.QUIET), ["tool"], "stalled"),
        (cut(Cut.IDLE), ["tool", "talk"], "no_work"),
        (cut(Cut.IDLE), ["tool", "refused"], "refused"),
        (cut(Cut.FLOOD), ["tool"], "flood"),
        (cut(Cut.TIME), ["tool"], "long"),
        (cut(Cut.STOPPED), ["over_budget"], "stopped"),
        (SessionEnd(JobStatus.OUT_OF_MEMORY, None, ""), ["tool"], "out_of_memory"),
        (SessionEnd(JobStatus.DISK_FULL, None, ""), ["tool"], "disk_full"),
        (SessionEnd(JobStatus.TIMEOUT, None, ""), ["tool"], "timeout"),
    ],
)
def test_states(end, kinds, state):
    health = classify(end, calls(*kinds))
    assert health.state == state
    assert health.good == (state in ("worked", "long", "stopped"))
    assert health.final == (state in ("over_budget", "no_key", "stopped"))
    assert bool(health.fault) == bool(health.remedy)


def test_a_crash_is_told_with_its_log():
    assert "ended with 7: Traceback: no such thing" in classify(CRASHED, calls("tool")).fault


def test_an_agent_without_tools_may_work():
    assert classify(FINE, calls("talk"), tools=False).good


def test_idle_turns():
    assert idle_turns(calls("talk", "tool", "talk", "rate_limited", "talk")) == 3
    assert idle_turns(calls("tool")) == 0
    assert idle_turns([]) == 0
