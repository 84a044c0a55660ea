"""Campaigns that were not run: a store and results.json as a fleet leaves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aar_host.auth import authenticate, issue
from aar_host.fleet.options import NAMES, Options
from aar_host.jobs.manifest import write_manifest
from aar_host.jobs.places import open_campaign_store
from aar_host.researchers.grammar import Design
from aar_host.researchers.writing import write_method
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.database import new_id
from aar_host.store.submissions import Draft, add_submission
from aar_lab.cards import read_card
from aar_lab.types import Role

PLAN = Plan("chat-mini", "1", "d" * 64, "SEALED", "a1", {"seeds": 1, "max_submissions": 50})
DIRECTED = (Design(), Design(generations=1), Design(signal="prior"), Design(members=2))
ALIKE = (Design(generations=1), Design(generations=2), Design(generations=1, members=2))


def set_up(options: Options) -> None:
    """A campaign's directory with its manifest."""
    options.out.mkdir(parents=True, exist_ok=True)
    write_manifest(options.out, {"campaign": new_id(), "options": options.as_dict()})


def hand_in(directory: Path, designs: Sequence[Design]) -> list[str]:
    """Hand in one method of each design by the researchers in turn; returns the submissions."""
    store, name = open_campaign_store(directory)
    create_campaign(store, PLAN, name)
    actors = [
        authenticate(store, issue(store, name, one, Role.RESEARCHER, 1)).id for one in NAMES[:2]
    ]
    found = []
    for place, design in enumerate(designs):
        source = write_method(design)
        draft = Draft(source, read_card(source))
        found.append(add_submission(store, name, actors[place % 2], draft))
    return found


def end(directory: Path, names: Sequence[str], pgr: float | None, **more: Any) -> None:
    """Leave results.json, with two finalists of which the second leads by its public score."""
    sealed = [None if pgr is None else {"pgr": value, "interval": [0, 1]} for value in (0.99, pgr)]
    rows = [
        {"seconds": 3.0 * i, "researcher": NAMES[i % 2], "submission": name, "pgr": 0.1 * i}
        for i, name in enumerate(names, 1)
    ]
    finalists = [
        {"public": {"pgr": public, "interval": None}, "sealed": score, "error": None}
        for public, score in zip((0.2, 0.4), sealed, strict=True)
    ]
    body = {
        "campaign": "c",
        "stopped": "time",
        "seconds": 30.0,
        "marks": [],
        "submissions": len(names),
        "failed": 0,
        "history": rows,
        "finalists": finalists,
    }
    (directory / "results.json").write_text(json.dumps({**body, **more}))
