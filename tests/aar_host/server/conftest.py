"""The real application on a either database, called through ASGI without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.cards import card_body

from aar_host.auth import issue
from aar_host.server import create_app
from aar_host.snapshots import Snapshots
from aar_host.store import Store, Tier, open_store
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.scores import record_score
from aar_lab.types import Role

SOURCE = "def train(task, rng):\n    return task\n"
CONFIG = {
    "seeds": 2,
    "max_submissions": 3,
    "objective": "Recover the gap.",
    "rules": "Submit methods.",
    "seconds": 100,
}


@dataclass
class Site:
    """One campaign behind its server; `ada` is a researcher of it."""

    where: str
    now: float = 1000.0
    config: Mapping[str, Any] = field(default_factory=lambda: CONFIG)
    snapshots: Snapshots | None = None
    store: Store = field(init=False)
    campaign: str = field(init=False)
    app: FastAPI = field(init=False)
    ada: str = field(init=False)

    def __post_init__(self) -> None:
        self.store = open_store(self.where, lambda: self.now)
        plan = Plan("chat-mini", "1", "d" * 64, "SEALED", "a1", self.config)
        self.campaign = create_campaign(self.store, plan).id
        self.app = create_app(self.store, self.campaign, snapshots=self.snapshots)
        self.ada = self.token("ada")

    def token(self, name: str, role: Role = Role.RESEARCHER) -> str:
        return issue(self.store, self.campaign, name, role, 1)

    async def ask(
        self, verb: str, path: str, token: str | None = "", **content: Any
    ) -> httpx.Response:
        headers = {"Content-Type": "application/json"} if "content" in content else {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.ada}"
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://host/v1") as http:
            return await http.request(verb, path, headers=headers, **content)

    def call(self, verb: str, path: str, token: str | None = "", **content: Any) -> httpx.Response:
        return asyncio.run(self.ask(verb, path, token, **content))

    def submit(self, source: str = SOURCE, token: str = "") -> str:
        response = self.call("POST", "/submissions", token, json=submission(source))
        assert response.status_code == 202, response.text
        return str(response.json()["submission"])

    def score(self, name: str, pgr: float | None, tier: Tier = Tier.PUBLIC) -> None:
        estimate = None if pgr is None else {"mean": pgr, "interval": [pgr - 0.1, pgr + 0.1]}
        record_score(self.store, name, tier, {"part": str(tier), "pgr": estimate, "accuracy": 0.7})


def submission(source: str = SOURCE, **more: Any) -> dict[str, Any]:
    return {"source": source, "card": card_body(), **more}


def check_error(response: httpx.Response, status: int, code: str) -> Mapping[str, str]:
    """The one shape of every failure; returns the error."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error"}
    error: Mapping[str, str] = body["error"]
    assert set(error) == {"code", "value", "fault", "remedy"}
    assert error["code"] == code
    return error


@pytest.fixture
def site(where: str) -> Iterator[Site]:
    made = Site(where)
    yield made
    made.store.close()


@pytest.fixture
def refused():
    return check_error


@pytest.fixture
def draft():
    return submission
