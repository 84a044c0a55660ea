"""The loop of sessions, at a station whose sessions are scripted."""

from __future__ import annotations

import itertools

import pytest
from tests.aar_host.researchers.fake_station import FakeStation

from aar_host.researchers import UNDIRECTED
from aar_host.researchers.base import CallOutcome, Launch, SessionEnd, Wire
from aar_host.researchers.claude_code import ClaudeCode
from aar_host.researchers.codex import Codex
from aar_host.researchers.command import Command
from aar_host.researchers.line import CallLog
from aar_host.researchers.sessions import Patience, Sessions, pause_until
from aar_lab.errors import BadSettings, OverBudget, Unavailable
from aar_lab.types import JobStatus

DONE = SessionEnd(JobStatus.DONE, 0, "")
CRASHED = SessionEnd(JobStatus.CRASHED, 1, "broken")


class AgentStation(FakeStation):
    """A station whose sessions are functions (station, watch) → end; an error is raised."""

    model, wire = "scripted", Wire.MESSAGES

    def __init__(self, *sessions, brief=None):
        super().__init__(UNDIRECTED)
        self.told = {"problem": "tiny", "objective": "Recover.", "rules": ["Be honest."]}
        self.told |= {"you": {"name": "ada"}, "seeds": 5, "submissions_left": 3}
        self.told |= {"seconds_left": 90.0, "state": "open"} | (brief or {})
        self.log, self.launches = CallLog(), []
        self._sessions = iter(sessions)

    def _brief(self):
        if isinstance(self.told.get("error"), Exception):
            raise self.told["error"]
        return self.told

    def calls(self, since=0):
        return self.log.since(since)

    def session(self, launch, watch):
        self.launches.append(launch)
        session = next(self._sessions)
        return session(self, watch) if callable(session) else session

    @property
    def events(self):
        return [state for state, _ in self.states]


class Scripted:
    """An agent that needs nothing."""

    name = "scripted"

    def launch(self, station, brief):
        return Launch(["agent"], stdin=brief)


def worked(station, watch):
    station.log.tell(CallOutcome.OK, ("submit",))
    return DONE


def failing(outcome):
    def session(station, watch):
        station.log.tell(outcome)
        return CRASHED

    return session


def run(station, stop=lambda: False, **patience):
    waited = []
    Sessions(Scripted(), Patience(**patience), lambda s, _: waited.append(s)).run(station, stop)
    return waited


def after(number, station):
    """Stops once so many sessions have begun."""
    return lambda: len(station.launches) >= number


def test_session_after_session_until_stopped():
    station = AgentStation(worked, worked, worked)
    assert run(station, after(3, station)) == []
    assert station.events == ["session_started", "session_worked"] * 3 + ["finished"]
    facts = station.states[1][1]
    assert (facts["session"], facts["calls"], facts["tools"], facts["lines"]) == (1, 1, 1, 0)


def test_failures_are_waited_for_longer_and_longer_and_then_given_up():
    station = AgentStation(*[failing(CallOutcome.RATE_LIMITED)] * 4)
    assert run(station, failures=4, first_pause=1.0, longest_pause=3.0) == [1.0, 2.0, 3.0]
    assert station.events.count("session_rate_limited") == 4
    state, facts = station.states[-1]
    assert state == "given_up"
    assert facts["remedy"] == "Run fewer researchers on this key."


def test_a_session_that_works_forgives_the_failures_before_it():
    station = AgentStation(CRASHED, CRASHED, worked, CRASHED, worked)
    assert run(station, after(5, station), failures=3, first_pause=1.0) == [1.0, 2.0, 1.0]
    assert "given_up" not in station.events


@pytest.mark.parametrize("outcome", [CallOutcome.OVER_BUDGET, CallOutcome.NO_KEY])
def test_what_no_session_can_mend_ends_it(outcome):
    station = AgentStation(failing(outcome))
    assert run(station) == []
    assert station.events[1:] == [f"session_{outcome}", "finished"]
    assert station.states[1][1]["remedy"]


@pytest.mark.parametrize(
    ("error", "events"),
    [
        (OverBudget("3", "used up", "Stop."), ["session_over_budget", "finished"]),
        (BadSettings("Codex", "not found", "Set it."), ["session_bad_settings", "finished"]),
        (Unavailable("host", "silent", "Wait."), ["session_hindered", "waiting"] * 2),
    ],
)
def test_no_error_of_the_host_leaves_it(error, events):
    station = AgentStation(brief={"error": error})
    run(station, failures=3)
    assert station.events[: len(events)] == events


@pytest.mark.parametrize("brief", [{"state": "frozen"}, {"submissions_left": 0}])
def test_nothing_begins_where_nothing_is_taken(brief):
    station = AgentStation(brief=brief)
    run(station)
    assert station.events == ["finished"]


def test_an_agent_that_only_talks_is_cut():
    def talk(station, watch):
        for _ in range(50):
            station.log.tell(CallOutcome.OK)
            if why := watch.cut():
                return SessionEnd(JobStatus.CANCELLED, None, "", why)
        raise AssertionError("it was not cut")

    station = AgentStation(talk)
    run(station, idle_turns=4, failures=1)
    assert station.events[1] == "session_no_work"
    assert station.states[1][1]["calls"] == 4


def test_an_agent_that_does_nothing_is_cut():
    def sleep(station, watch):
        why = next(filter(None, (watch.cut() for _ in itertools.count())))
        return SessionEnd(JobStatus.CANCELLED, None, "", why)

    station = AgentStation(sleep)
    run(station, quiet_seconds=0.05, failures=1)
    assert station.events[1] == "session_stalled"


def test_stopping_cuts_the_session():
    stopping = []

    def session(station, watch):
        assert watch.cut() is None
        stopping.append(True)
        return SessionEnd(JobStatus.CANCELLED, None, "", watch.cut())

    station = AgentStation(session)
    run(station, lambda: bool(stopping))
    assert station.events == ["session_started", "session_stopped", "finished"]


def test_calls_of_earlier_sessions_do_not_count():
    station = AgentStation(worked, DONE)
    run(station, after(2, station))
    assert station.events[3] == "session_no_work"


def test_the_brief_lies_in_the_workspace_and_reaches_the_agent():
    station = AgentStation(worked)
    run(station, after(1, station))
    assert station.launches[0].stdin == station.files["brief.md"]


def test_pausing_ends_when_all_is_to_stop():
    pause_until(60.0, lambda: True)
    pause_until(0.0, lambda: False)


def test_a_command_is_told_where_its_model_is():
    station = AgentStation()
    launch = Command(["python3", "mine.py"]).launch(station, "brief")
    assert launch.environment == {
        "AAR_BRIEF": "/workspace/brief.md",
        "AAR_MODEL": "scripted",
        "AAR_MODEL_URL": "http://127.0.0.1:8377",
    }
    assert (launch.stdin, launch.relay) == ("brief", True)
    station.model = None
    assert not Command(["true"]).launch(station, "brief").relay
    with pytest.raises(BadSettings):
        Command([])


@pytest.mark.parametrize("agent", [ClaudeCode(), Codex()], ids=lambda agent: agent.name)
def test_an_agent_and_a_model_that_do_not_understand_each_other(agent):
    station = AgentStation()
    station.wire = Wire.CHAT
    Sessions(agent).run(station, lambda: False)
    assert station.events == ["session_bad_settings", "finished"]
    assert "the protocol" in station.states[0][1]["fault"]
    station.model = None
    with pytest.raises(BadSettings, match="its seat has none"):
        agent.launch(station, "brief")
