"""Time counts while a campaign is served, over several runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.aar_host.store.conftest import PLAN

from aar_host.auth import issue
from aar_host.fleet.timeline import Heart, Timeline
from aar_host.store import Store, open_store
from aar_host.store.campaigns import create_campaign, get_campaign
from aar_host.store.ledger import events
from aar_lab.types import Role


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path, clock) -> Store:
    return open_store(tmp_path / "lab.db", clock)


def test_a_kill_costs_less_than_a_beat_and_downtime_nothing(store, clock):
    campaign = create_campaign(store, PLAN).id
    heart = Heart(store, campaign, clock)
    for _ in range(24):
        clock.now += 0.25
        heart.beat()
    clock.now += 0.4  # lost with the process, which is killed here
    clock.now += 5000
    again = Heart(store, campaign, clock)
    assert again.ran == get_campaign(store, campaign).ran == 6.0
    clock.now += 2
    assert again.beat() == 8.0


def test_each_mark_of_the_pool_s_time_is_told_once(store, clock):
    budgets = {"pool": {"wall_seconds": 100.0}}
    plan = replace(PLAN, config={**PLAN.config, "budgets": budgets})
    campaign = create_campaign(store, plan).id
    for _ in range(2):
        heart = Heart(store, campaign, clock)
        for _ in range(6):
            clock.now += 10
            heart.beat()
    told = [e.payload for e in events(store, campaign) if e.kind == "budget_warning"]
    assert [one["share"] for one in told] == [0.5, 0.8, 1.0]
    assert {(one["researcher"], one["resource"]) for one in told} == {(None, "wall_seconds")}


def test_a_researchers_time_is_told_at_its_marks(store, clock):
    budgets = {"each": {"wall_seconds": 40.0}, "seats": {"ada": {"wall_seconds": 20.0}}}
    plan = replace(PLAN, config={**PLAN.config, "budgets": budgets})
    campaign = create_campaign(store, plan).id
    for name, role in (("ada", Role.RESEARCHER), ("bo", Role.RESEARCHER), ("eve", Role.VIEWER)):
        issue(store, campaign, name, role, 1)
    heart = Heart(store, campaign, clock)
    for _ in range(2):
        clock.now += 10
        heart.beat()
    told = [e.payload for e in events(store, campaign) if e.kind == "budget_warning"]
    marks = [(one["researcher"], one["share"]) for one in told]
    assert marks == [("ada", 0.5), ("ada", 0.8), ("ada", 1.0), ("bo", 0.5)]


def test_a_moment_is_told_in_seconds_that_were_served(store, clock):
    campaign = create_campaign(store, PLAN).id
    for _ in range(3):
        heart = Heart(store, campaign, clock)
        clock.now += 10
        heart.beat()
        clock.now += 0.3
        clock.now += 1000
    timeline = Timeline(events(store, campaign))
    first = 1000.0
    told = {0: 0.0, 4: 4.0, 10: 10.0, 10.2: 10.0, 1010.3: 10.0, 1013.3: 13.0, 2025.6: 25.0}
    assert {t: round(timeline.at(first + t), 6) for t in told} == told
    assert timeline.at(first - 5) == 0.0


def test_a_campaign_that_nobody_ran_has_no_time(store):
    assert Timeline([]).at(5.0) == 0.0
