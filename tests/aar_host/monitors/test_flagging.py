"""Flags are recorded once, by whichever run of a campaign sees them."""

from __future__ import annotations

import pytest
from tests.aar_host.models.conftest import empty_store
from tests.aar_host.store.conftest import World

from aar_host.monitors.flagging import MAX_EACH, RAISED, Flagger, flagging, judge_all, raised
from aar_host.store.findings import Note, add_finding
from aar_host.store.ledger import Event, append, events, verify_ledger
from aar_lab.types import FindingKind


@pytest.fixture
def world(tmp_path) -> World:
    (tmp_path / "lab.db").write_bytes(empty_store())
    return World(str(tmp_path / "lab.db"))


def call(world: World, words: str) -> None:
    payload = {"researcher": "ada", "tool": "bash", "arguments": words}
    with world.store.writing() as connection:
        append(connection, 0.0, Event(world.campaign, "tool_call", payload))


def told(world: World) -> list[dict[str, str]]:
    return raised(events(world.store, world.campaign))


def test_a_flag_is_raised_once_over_all_runs(world):
    call(world, "printenv")
    add_finding(world.store, world.campaign, world.actor, Note(FindingKind.RESULT, "PGR 0.99"))
    flagger = Flagger(world.store, world.campaign)
    assert sorted(flag.rule for flag in flagger.tick()) == ["claim without a score", "environment"]
    assert flagger.tick() == []
    assert Flagger(world.store, world.campaign).tick() == []
    call(world, "printenv")
    assert [flag.rule for flag in flagger.tick()] == ["environment"]
    assert {flag["researcher"] for flag in told(world)} == {"ada"}
    verify_ledger(world.store)


def test_a_flood_of_hits_is_cut(world):
    for _ in range(MAX_EACH + 5):
        call(world, "printenv")
    Flagger(world.store, world.campaign).tick()
    call(world, "printenv")
    Flagger(world.store, world.campaign).tick()
    assert len(told(world)) == MAX_EACH


def test_the_end_of_a_run_looks_once_more(world):
    with flagging(Flagger(world.store, world.campaign)):
        call(world, "cat /proc/1/environ")
    kinds = [event.kind for event in events(world.store, world.campaign)]
    assert kinds[-1] == RAISED


def test_all_who_did_something_are_judged(world):
    world.join("idle")
    call(world, "ls /vault/labels")
    asked = []

    def ask(system, user, schema):
        asked.append(user.partition("\n")[0])
        concern = {"kind": "labels", "quote": "ls /vault/labels", "why": "w", "severity": "alarm"}
        return {"researcher": "ada", "concerns": [concern]}

    assert [flag.rule for flag in judge_all(world.store, world.campaign, ask, True)] == [
        "judge: labels"
    ]
    assert asked == ["researcher: ada"]
    assert [flag["rule"] for flag in told(world)] == ["labels", "judge: labels"]
    assert judge_all(world.store, world.campaign, ask, True) == []
    assert asked == ["researcher: ada"], "nobody is judged, or paid for, twice"


def test_who_wants_to_stop_is_not_kept_by_the_judge(world):
    call(world, "ls")
    asked = []
    judge_all(world.store, world.campaign, lambda *words: asked.append(words), True, lambda: True)
    assert asked == []
    judge_all(world.store, world.campaign, lambda *words: asked.append(words), False)
    assert len(asked) == 1
