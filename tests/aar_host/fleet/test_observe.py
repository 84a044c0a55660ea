"""A campaign seen from outside: who does what, what it costs, what a person should look at."""

from __future__ import annotations

import json

import pytest
from tests.aar_host.models.conftest import empty_store
from tests.aar_host.store.conftest import PLAN, World

from aar_host.auth import issue
from aar_host.fleet.observe import KEPT, Observer
from aar_host.monitors.rules import Flag, Severity
from aar_host.store import Tier
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.findings import Note, add_finding
from aar_host.store.ledger import Event, append
from aar_host.store.reviews import record_review
from aar_host.store.schema import CallStatus
from aar_host.store.scores import record_score
from aar_host.store.spending import Bill, CallDraft, admit_call, settle_call
from aar_lab.digest import digest_text
from aar_lab.types import FindingKind, Role

FLAG = Flag("environment", "ada", "printenv", Severity.NOTICE, "event 1")


@pytest.fixture
def world(tmp_path) -> World:
    (tmp_path / "lab.db").write_bytes(empty_store())
    return World(str(tmp_path / "lab.db"))


@pytest.fixture
def observer(world) -> Observer:
    return Observer(world.store, world.campaign, {"ada": "codex"})


def tell(world: World, kind: str, **payload: object) -> None:
    with world.store.writing() as connection:
        append(connection, world.clock(), Event(world.campaign, kind, payload))


def report(world: World, state: str, **facts: str) -> None:
    tell(world, "researcher_event", researcher="ada", state=state, facts=facts)


def ada(observer: Observer):
    return next(seat for seat in observer.look()[0].researchers if seat.name == "ada")


def test_a_new_campaign_has_its_researchers(observer):
    view, _ = observer.look()
    assert [(seat.name, seat.driver) for seat in view.researchers] == [("ada", "codex")]
    assert json.loads(json.dumps(view.as_dict())) == view.as_dict()


def test_who_comes_from_outside_is_seen_and_who_looks_on_is_not(world, observer):
    world.join("bob")
    issue(world.store, world.campaign, "viewer", Role.VIEWER, 1)
    seats = observer.look()[0].researchers
    assert [(seat.name, seat.driver) for seat in seats] == [("ada", "codex"), ("bob", "outside")]


def test_the_last_action_is_the_newest_event(world, observer):
    report(world, "session_started", session="1", driver="codex")
    assert ada(observer).state == "session_started"
    tell(world, "tool_call", researcher="ada", tool="bash", arguments="ls")
    assert ada(observer).action == "bash ls"
    made = world.submit("a")
    assert (ada(observer).action, ada(observer).submissions) == (f"handed in {made}", 1)
    note = Note(FindingKind.INSIGHT, "b")
    add_finding(world.store, world.campaign, world.actor, note)
    assert ada(observer).action == "posted a finding: insight"
    assert ada(observer).state == "session_started"


def test_events_are_told_once(world, observer):
    observer.look()
    tell(world, "tool_call", researcher="ada", tool="bash", arguments="ls")
    view, fresh = observer.look()
    assert [(event["kind"], event["by"], event["seq"]) for event in fresh] == [
        ("tool_call", "ada", view.seq)
    ]
    assert observer.look()[1] == []


def test_dollars_are_of_calls_that_have_ended(world, observer):
    calls = [
        admit_call(world.store, world.campaign, world.actor, CallDraft("m", "d", 2.0, 10.0))
        for _ in range(2)
    ]
    settle_call(world.store, calls[0], Bill(CallStatus.DONE, "ok", 0.5, 7.0))
    assert (ada(observer).dollars, ada(observer).tokens) == (0.5, 7.0)
    assert observer.look()[0].dollars == 0.5


def test_the_best_score_is_as_the_policy_tells_it(world, observer):
    body = {"part": "public", "pgr": {"mean": 0.123456, "interval": [0.0, 0.2]}}
    record_score(world.store, world.submit("a"), Tier.PUBLIC, body)
    assert ada(observer).best == 0.12


def test_marks_are_of_a_researcher_or_of_the_pool(world, observer):
    for name, share in (("ada", 0.5), ("ada", 0.8), (None, 0.5), ("ghost", 1.0)):
        tell(world, "budget_warning", researcher=name, resource="dollars", share=share)
    assert ada(observer).marks == {"dollars": 0.8}
    assert observer.look()[0].marks == {"dollars": 0.5}


def test_troubles_and_flags_are_noted_newest_last(world, observer):
    report(world, "session_no_work", fault="it called no tool", remedy="See it.")
    tell(world, "flag_raised", **FLAG.as_dict())
    view, _ = observer.look()
    assert view.notes == (
        "ada: session_no_work: it called no tool See it.",
        "ada: environment: printenv",
    )
    assert (view.flags, ada(observer).troubles) == (1, 1)
    for _ in range(KEPT):
        report(world, "given_up", fault="f", remedy="r")
    assert len(observer.look()[0].notes) == KEPT


def test_reviews_are_counted(world):
    config = {**PLAN.config, "review": "required"}
    world.campaign = create_campaign(world.store, Plan(**{**vars(PLAN), "config": config})).id
    world.actor = world.join("ada")
    for source in ("a", "b"):
        world.submit(source)
    record_review(world.store, world.campaign, digest_text("a"), {"verdict": "pass"})
    view, _ = Observer(world.store, world.campaign, {}).look()
    assert view.reviews == {"pass": 1, "waiting": 1}
