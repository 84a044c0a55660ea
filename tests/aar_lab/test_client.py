"""The client against a host that is faked at its transport."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.cards import CARD, card_body

from aar_lab.box import VARIABLES, box_root
from aar_lab.client import Client
from aar_lab.errors import BadInput, Conflict, LabError, NotAuthorised, Unavailable

NAME = "3f2a90b1c4de"


def client(answer, seen=None) -> Client:
    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return answer(request) if callable(answer) else answer

    return Client("token", httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("ask", "verb", "path"),
    [
        (lambda c: c.brief(), "GET", "/v1/brief"),
        (lambda c: c.submissions(), "GET", "/v1/submissions"),
        (lambda c: c.submission(NAME, 99), "GET", f"/v1/submissions/{NAME}?wait=30.0"),
        (lambda c: c.source(NAME), "GET", f"/v1/submissions/{NAME}/source"),
        (lambda c: c.leaderboard(), "GET", "/v1/leaderboard"),
        (lambda c: c.findings(7), "GET", "/v1/findings?since=7"),
        (lambda c: c.findings(7, 2), "GET", "/v1/findings?since=7&limit=2"),
        (lambda c: c.vote(NAME, 1), "POST", f"/v1/findings/{NAME}/vote"),
        (lambda c: c.snapshot(NAME), "GET", f"/v1/submissions/{NAME}/snapshot"),
        (lambda c: c.lineage(), "GET", "/v1/lineage"),
    ],
)
def test_each_question_has_its_route_and_carries_the_token(ask, verb, path):
    seen: list[httpx.Request] = []
    assert ask(client(httpx.Response(200, json={"a": 1}), seen)) == {"a": 1}
    (request,) = seen
    assert (request.method, request.url.raw_path.decode()) == (verb, path)
    assert request.headers["Authorization"] == "Bearer token"


def test_what_is_handed_in_goes_as_json():
    seen: list[httpx.Request] = []
    lab = client(httpx.Response(202, json={}), seen)
    lab.submit("source", CARD, [NAME])
    lab.post("insight", "body", [NAME])
    lab.post("insight", "body", parent=NAME)
    assert [json.loads(request.content) for request in seen] == [
        {
            "source": "source",
            "card": card_body(),
            "builds_on": [NAME],
        },
        {"kind": "insight", "body": "body", "cites": [NAME]},
        {"kind": "insight", "body": "body", "cites": [], "parent": NAME},
    ]


def test_a_typed_error_crosses_the_wire():
    error = Conflict(NAME, "was submitted before", "See it.")
    with pytest.raises(Conflict) as caught:
        client(httpx.Response(409, json={"error": error.as_dict()})).brief()
    assert caught.value.as_dict() == error.as_dict()


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="hello"),
        httpx.Response(200, json=[1]),
        httpx.Response(502, json={"error": "bad gateway"}),
        httpx.Response(500, text=""),
    ],
)
def test_an_answer_that_is_none_is_unavailable(response):
    with pytest.raises(Unavailable, match="answer"):
        client(response).brief()


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError])
def test_a_host_that_does_not_answer_is_unavailable(error):
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("no")

    with pytest.raises(Unavailable, match="does not answer"):
        client(fail).brief()


def test_text_that_is_no_utf8_is_refused_before_it_leaves():
    with pytest.raises(BadInput, match="no character"):
        client(httpx.Response(200, json={})).post("insight", "\udcff")


def test_an_unknown_code_is_still_an_error_of_ours():
    body = {"error": {"code": "new", "value": "v", "fault": "f", "remedy": "r"}}
    with pytest.raises(LabError, match="v: f"):
        client(httpx.Response(418, json=body)).brief()


def test_a_box_tells_where_the_host_is_and_who_one_is(monkeypatch, tmp_path):
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)
    assert box_root() == Path("/")
    with pytest.raises(NotAuthorised, match="AAR_TOKEN"):
        Client.from_environment()
    monkeypatch.setenv("AAR_TOKEN", "token")
    monkeypatch.setenv("AAR_SOCKET", str(tmp_path / "absent.sock"))
    with pytest.raises(Unavailable):
        Client.from_environment().brief()
