"""One shape for every failure, whatever was sent."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cards import CARD, card_body

from aar_host.server.errors import MAX_BODY_BYTES, BodyLimit
from aar_lab.errors import Corrupt, Unavailable

FUZZ = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ANY = st.text(st.characters() | st.sampled_from("\ud800\0\r\"'"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3),
    max_leaves=6,
)


def test_an_unknown_path_and_a_wrong_verb(site, refused):
    refused(site.call("GET", "/nothing"), 404, "unknown_name")
    refused(site.call("DELETE", "/brief"), 405, "bad_input")
    refused(site.call("GET", "/submissions/" + "0" * 12), 404, "unknown_name")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b"\xff\xfe", 422),
        (b'"\xff"', 400),
        (b'{"source": 1}', 422),
        (b"[" * 100_000, 400),
        (b'{"a": NaN}', 422),
    ],
)
def test_bodies_that_are_not_the_right_json(site, refused, content, status):
    refused(site.call("POST", "/submissions", content=content), status, "bad_input")


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(site, refused):
    refused(
        site.call("POST", "/submissions", content=b"x" * (MAX_BODY_BYTES + 1)), 413, "bad_input"
    )
    refused(site.call("POST", "/submissions", content=b"x" * MAX_BODY_BYTES), 422, "bad_input")


def test_the_limit_holds_without_a_content_length_and_stops_reading(site, refused):
    sent = []

    async def stream():
        for _ in range(1000):
            sent.append(1)
            yield b"x" * 65_536

    refused(site.call("POST", "/findings", content=stream()), 413, "bad_input")
    assert len(sent) < 1000


def test_a_body_that_does_not_come_is_not_waited_for():
    async def never():
        await asyncio.Event().wait()

    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(BodyLimit(no_application, seconds=0.01)({"type": "http"}, never, send))
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error"]["value"] == "body"


async def no_application(_scope, _receive, _send):
    raise AssertionError("the application was called")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unavailable("db", "is locked", "Wait."), 503, "unavailable"),
        (Corrupt("db", "is corrupt", "Restore."), 500, "corrupt"),
        (ZeroDivisionError("secret detail"), 500, "error"),
    ],
)
def test_failures_of_the_host_tell_no_secret(site, refused, error, status, code):
    @site.app.get("/v1/failing")
    def failing() -> None:
        raise error

    response = site.call("GET", "/failing")
    refused(response, status, code)
    assert "secret" not in response.text


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "\ud800\0"])
def test_text_that_no_database_stores_is_refused(site, refused, draft, text):
    card = card_body(title=text)
    for body in (draft(card=card), draft(builds_on=[text])):
        refused(site.call("POST", "/submissions", content=json.dumps(body)), 422, "bad_input")
    assert site.call("POST", "/submissions", content=json.dumps(draft(text))).status_code == 422
    finding = {"kind": "insight", "body": text}
    refused(site.call("POST", "/findings", content=json.dumps(finding)), 422, "bad_input")


@FUZZ
@given(text=ANY)
def test_any_text_as_source_never_gives_a_5xx(site, text):
    body = json.dumps({"source": text, "card": card_body()})
    response = site.call("POST", "/submissions", content=body)
    assert response.status_code == 422
    assert response.json()["error"]["code"] in ("bad_source", "bad_input")


@FUZZ
@given(
    card=st.fixed_dictionaries({}, optional=dict.fromkeys(CARD.as_dict(), ANY)),
    hyperparameters=st.dictionaries(ANY, JSON, max_size=2),
    builds_on=st.lists(ANY, max_size=2),
)
def test_any_text_in_a_card_never_gives_a_5xx(site, draft, card, hyperparameters, builds_on):
    card = card_body(hyperparameters=hyperparameters) | card
    body = json.dumps(draft() | {"card": card, "builds_on": builds_on})
    assert site.call("POST", "/submissions", content=body).status_code in (202, 409, 422, 429)


@FUZZ
@given(body=ANY, cites=st.lists(ANY, max_size=1))
def test_any_text_as_finding_never_gives_a_5xx(site, body, cites):
    content = json.dumps({"kind": "insight", "body": body, "cites": cites})
    response = site.call("POST", "/findings", content=content)
    assert response.status_code in (201, 422)
    assert site.call("GET", "/findings").status_code == 200


@FUZZ
@given(content=JSON)
def test_any_json_never_gives_a_5xx(site, content):
    for path in ("/submissions", "/findings"):
        assert site.call("POST", path, content=json.dumps(content)).status_code == 422


@FUZZ
@given(query=st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_query_never_gives_a_5xx(site, query):
    assert site.call("GET", "/findings", params={"since": query}).status_code in (200, 422)
    path = "/submissions/" + "0" * 12
    assert site.call("GET", path, params={"wait": query}).status_code in (404, 422)
