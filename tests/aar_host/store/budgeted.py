"""A campaign with budgets, and what it told of them."""

from __future__ import annotations

from dataclasses import replace

from tests.aar_host.store.conftest import PLAN, World

from aar_host.budgets import Budget, Budgets
from aar_host.store.campaigns import create_campaign
from aar_host.store.ledger import events


def limited(world: World, **budgets: Budget) -> World:
    """The world with a campaign of these budgets."""
    config = {**PLAN.config, "max_submissions": 9, "budgets": Budgets(**budgets).as_dict()}
    world.campaign = create_campaign(world.store, replace(PLAN, config=config)).id
    world.actor = world.join("ada")
    return world


def warnings(world: World) -> list[tuple[str | None, str, float]]:
    found = (e.payload for e in events(world.store, world.campaign) if e.kind == "budget_warning")
    return [(body["researcher"], body["resource"], body["share"]) for body in found]
