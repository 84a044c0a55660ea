"""A store on either database, with a clock that tests move by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from tests.cards import CARD

from aar_host.auth import issue
from aar_host.store import Store, open_store
from aar_host.store.actors import actor_of_token
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.jobs import Job, claim_job
from aar_host.store.submissions import Draft, add_submission
from aar_lab.digest import digest_text
from aar_lab.types import Role

PLAN = Plan("chat-mini", "1", "d" * 64, "SEALED", "a1", {"seeds": 2, "max_submissions": 3})


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """A campaign with one researcher, and short ways to do the usual things."""

    where: str
    clock: Clock = field(default_factory=Clock)
    store: Store = field(init=False)
    campaign: str = field(init=False)
    actor: str = field(init=False)

    def __post_init__(self) -> None:
        self.store = open_store(self.where, self.clock)
        self.campaign = create_campaign(self.store, PLAN).id
        self.actor = self.join("ada")

    def join(self, name: str) -> str:
        token = issue(self.store, self.campaign, name, Role.RESEARCHER, 1)
        row = actor_of_token(self.store, digest_text(token))
        assert row is not None
        return str(row.id)

    def claim(self, worker: str = "w", seconds: float = 60, submission: str | None = None) -> Job:
        """The next job, which must be there."""
        job = claim_job(self.store, self.campaign, worker, seconds, submission)
        assert job is not None
        return job

    def submit(self, source: str, *builds_on: str) -> str:
        draft = Draft(source, CARD, builds_on)
        return add_submission(self.store, self.campaign, self.actor, draft)


@pytest.fixture
def world(where: str) -> Iterator[World]:
    made = World(where)
    yield made
    made.store.close()
