"""Tokens: random, stored as a digest, short-lived, revocable."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from aar_host.auth import authenticate, issue, revoke
from aar_host.store import open_store
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.schema import metadata
from aar_lab.errors import BadInput, Conflict, NotAuthorised, UnknownName
from aar_lab.types import Role

HOUR = 3600.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(where, clock):
    opened = open_store(where, clock)
    yield opened
    opened.close()


@pytest.fixture
def campaign(store):
    config = {"seeds": 2, "max_submissions": 3}
    return create_campaign(store, Plan("chat-mini", "1", "d", "SEALED", "a1", config)).id


@pytest.mark.parametrize("role", Role)
def test_a_token_tells_who_somebody_is(store, campaign, role):
    actor = authenticate(store, issue(store, campaign, "ada", role, 1))
    assert (actor.name, actor.role, actor.campaign) == ("ada", role, campaign)
    assert actor.problem == "chat-mini"


def test_no_token_is_stored(store, campaign):
    token = issue(store, campaign, "ada", Role.RESEARCHER, 1)
    with store.reading() as connection:
        rows = [str(list(connection.execute(select(table)))) for table in metadata.sorted_tables]
    assert any("ada" in row for row in rows)
    assert not any(token in row for row in rows)


def test_a_token_expires(store, campaign, clock):
    token = issue(store, campaign, "ada", Role.RESEARCHER, 1)
    clock.now = HOUR - 1
    authenticate(store, token)
    clock.now = HOUR
    with pytest.raises(NotAuthorised, match="expired"):
        authenticate(store, token)


def test_a_revoked_token_is_void_at_once(store, campaign):
    token = issue(store, campaign, "ada", Role.RESEARCHER, 1)
    revoke(store, authenticate(store, token).id)
    with pytest.raises(NotAuthorised, match="revoked"):
        authenticate(store, token)
    with pytest.raises(UnknownName):
        revoke(store, "absent")


def test_a_new_token_keeps_the_identity_and_voids_the_old_one(store, campaign):
    old = issue(store, campaign, "ada", Role.RESEARCHER, 1)
    before = authenticate(store, old)
    assert authenticate(store, issue(store, campaign, "ada", Role.RESEARCHER, 1)) == before
    with pytest.raises(NotAuthorised):
        authenticate(store, old)


def test_nobody_changes_role_by_name(store, campaign):
    issue(store, campaign, "ada", Role.RESEARCHER, 1)
    with pytest.raises(Conflict, match="researcher"):
        issue(store, campaign, "ada", Role.OPERATOR, 1)


@pytest.mark.parametrize(
    ("name", "hours"),
    [("", 1), ("a\nb", 1), ("a" * 81, 1), ("ada", 0), ("ada", -1), ("ada", float("nan"))],
)
def test_names_and_lives_are_checked(store, campaign, name, hours):
    with pytest.raises(BadInput):
        issue(store, campaign, name, Role.RESEARCHER, hours)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(st.characters(codec="utf-8")))
def test_no_other_text_is_a_token(store, token):
    with pytest.raises(NotAuthorised, match="not known"):
        authenticate(store, token)


def test_tokens_are_long_and_never_repeat(store, campaign):
    numbers = count()
    tokens = {issue(store, campaign, f"r{next(numbers)}", Role.RESEARCHER, 1) for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 43
