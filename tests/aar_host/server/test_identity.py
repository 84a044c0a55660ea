"""Who may call which route: every route × every role × every kind of token, and no state changes.

The routes are those of the application itself; what a route may be called by follows from its verb,
so that a new one is in this table before anybody thinks of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import httpx
import pytest
from sqlalchemy import func, select

from aar_host.auth import issue, revoke
from aar_host.store.actors import find_actor
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.schema import ledger
from aar_lab.types import Role

RESEARCHERS = {Role.RESEARCHER, Role.HUMAN_RESEARCHER}
MAY = {"get": set(Role), "post": RESEARCHERS, "put": RESEARCHERS, "delete": RESEARCHERS}
# Whoever may read may open the door of MCP, where each tool asks with the caller's own token.
SPECIAL = {("post", "/mcp"): set(Role), ("get", "/v1/inputs"): RESEARCHERS}
OPEN_TO_ALL = {("get", "/v1/health")}
TOKENS = ("good", "expired", "revoked", "of another campaign", "unknown", None)


@pytest.fixture
def where(tmp_path) -> str:
    """One database will do: what is tested here lies before the store."""
    return str(tmp_path / "lab.db")


def routes(site) -> Iterator[tuple[str, str]]:
    """Verb and path of every route, with an id that nothing has in place of a parameter."""
    for path, verbs in site.app.openapi()["paths"].items():
        for verb in verbs:
            yield verb, path


def called(site, verb: str, path: str, token: str | None) -> httpx.Response:
    filled = "/".join("0" * 12 if part.startswith("{") else part for part in path.split("/"))
    body = {} if verb == "get" else {"json": {}}
    return site.call(verb.upper(), f"http://host{filled}", token, **body)


def token_of(site, role: Role, kind: str | None) -> str | None:
    """A token of that kind for an actor of that role."""
    if kind is None:
        return None
    if kind == "unknown":
        return "t" * 43
    if kind == "of another campaign":
        plan = Plan("p", "1", "d", "SEALED", "a", {"seeds": 2, "max_submissions": 3})
        return issue(site.store, create_campaign(site.store, plan).id, "eve", role, 1)
    token = site.token("eve", role)
    if kind == "expired":
        site.now += 3600
    if kind == "revoked":
        revoke(site.store, find_actor(site.store, site.campaign, "eve"))
    return token


def length(site) -> int:
    """Entries of the ledger."""
    with site.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(ledger)).scalar_one()


@pytest.mark.parametrize(("role", "kind"), list(product(Role, TOKENS)))
def test_a_route_lets_in_its_roles_with_a_good_token_and_nobody_else(site, role, kind):
    token = token_of(site, role, kind)
    before = length(site)
    for verb, path in routes(site):
        told = called(site, verb, path, token).status_code
        where = f"{verb} {path} as {role} with a token {kind}: {told}"
        if (verb, path) in OPEN_TO_ALL:
            assert told == 200, where
        elif kind != "good":
            assert told == 401, where
        elif role not in SPECIAL.get((verb, path), MAY[verb]):
            assert told == 403, where
        else:
            assert told not in (401, 403, 500), where
    assert length(site) == before


def test_the_table_would_notice_a_route_that_asks_for_no_role(site):
    @site.app.post("/v1/forgotten")
    def forgotten() -> dict[str, str]:
        return {}

    site.app.openapi_schema = None
    assert ("post", "/v1/forgotten") in set(routes(site))
    assert called(site, "post", "/v1/forgotten", None).status_code == 200
