"""The forum over HTTP: threads, votes that reach readers, and numbers that authors typed."""

from __future__ import annotations

import pytest

from aar_host.server.forum import TYPED_NUMBERS


def post(site, body="It works.", token="", **more) -> str:
    content = {"kind": "result", "body": body} | more
    response = site.call("POST", "/findings", token, json=content)
    assert response.status_code == 201, response.text
    return str(response.json()["finding"])


def read(site, **params) -> dict:
    response = site.call("GET", "/findings", params=params)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_reply_names_its_parent_and_its_thread(site):
    first = post(site)
    reply = post(site, "Does it?", site.token("bob"), parent=first)
    second = post(site, "It does.", parent=reply)
    rows = read(site)["findings"]
    assert [(row["finding"], row["parent"], row["thread"]) for row in rows] == [
        (first, None, first),
        (reply, first, first),
        (second, reply, first),
    ]


def test_a_reply_to_nothing_is_refused(site, refused):
    for parent in ("0" * 12, "../..", 7):
        body = {"kind": "result", "body": "b", "parent": parent}
        refused(site.call("POST", "/findings", json=body), 422, "bad_input")
    assert read(site)["findings"] == []


def test_a_retry_is_no_second_finding(site):
    assert post(site) == post(site)
    assert len(read(site)["findings"]) == 1


def test_votes_are_summed_and_reach_those_who_read_before(site):
    first, bob, carl = post(site), site.token("bob"), site.token("carl")
    last = read(site)["last"]
    site.call("POST", f"/findings/{first}/vote", bob, json={"value": 1})
    answer = site.call("POST", f"/findings/{first}/vote", carl, json={"value": -1})
    votes = {"sum": 0, "up": 1, "down": 1}
    assert answer.json() == {"finding": first, "votes": votes}
    assert read(site)["findings"][0]["votes"] == votes
    news = read(site, since=last)
    assert news["findings"] == []
    assert [(one["finding"], one["votes"]) for one in news["votes"]] == [(first, votes)]
    assert read(site, since=news["last"]) == {"findings": [], "votes": [], "last": news["last"]}


def test_a_vote_for_oneself_or_for_nothing_is_refused(site, refused):
    first, bob = post(site), site.token("bob")
    own = site.call("POST", f"/findings/{first}/vote", json={"value": 1})
    refused(own, 409, "conflict")
    nothing = site.call("POST", f"/findings/{'0' * 12}/vote", bob, json={"value": 1})
    refused(nothing, 404, "unknown_name")


@pytest.mark.parametrize("value", [0, 2, 1.5, "1", None, True, [1], {"value": 1}])
def test_other_votes_are_refused(site, refused, value):
    first = post(site)
    response = site.call(
        "POST", f"/findings/{first}/vote", site.token("bob"), json={"value": value}
    )
    refused(response, 422, "bad_input")
    assert read(site)["findings"][0]["votes"] == {"sum": 0, "up": 0, "down": 0}


def test_pages_are_as_long_as_asked(site, refused):
    names = [post(site, f"Finding {i}.") for i in range(3)]
    page = read(site, limit=2)
    assert [row["finding"] for row in page["findings"]] == names[:2]
    rest = read(site, since=page["last"], limit=2)["findings"]
    assert [row["finding"] for row in rest] == names[2:]
    for limit in (0, 1001, -1, "x"):
        refused(site.call("GET", "/findings", params={"limit": limit}), 422, "bad_input")


def test_numbers_that_an_author_typed_are_marked(site):
    post(site, "Our PGR is 0.99!")
    post(site, "Soft labels, at rate 0.1, lose to hard ones.")
    typed, plain = read(site)["findings"]
    assert (typed["mark"], plain["mark"]) == (TYPED_NUMBERS, None)
    assert typed["body"] == "Our PGR is 0.99!"
