"""Every route names its role, and identity comes only from the token."""

from __future__ import annotations

import pytest

from aar_host.auth import issue
from aar_host.store.campaigns import Plan, create_campaign
from aar_lab.types import Role

READING = (
    "/brief",
    "/submissions",
    "/submissions/{id}",
    "/submissions/{id}/source",
    "/submissions/{id}/snapshot",
    "/lineage",
    "/leaderboard",
    "/findings",
)
ASKING = ("/inputs",)
WRITING = ("/submissions", "/predictions", "/findings", "/findings/{finding}/vote")
RESEARCHERS = (Role.RESEARCHER, Role.HUMAN_RESEARCHER)


def test_the_list_of_routes_in_this_file_is_complete(site):
    paths = site.app.openapi()["paths"]
    listed = {("get", f"/v1{path}".replace("{id}", "{submission}")) for path in (*READING, *ASKING)}
    listed |= {("post", f"/v1{path}") for path in WRITING}
    routes = {(verb, path) for path, verbs in paths.items() for verb in verbs}
    assert routes - {("get", "/v1/health"), ("post", "/mcp")} == listed


def test_health_needs_no_token(site):
    response = site.call("GET", "/health", None)
    assert response.json() == {"status": "ok", "campaign": site.campaign}


@pytest.mark.parametrize("path", [*READING, *ASKING])
@pytest.mark.parametrize("token", [None, "wrong", "w" * 5000])
def test_nobody_reads_without_a_good_token(site, refused, path, token):
    response = site.call("GET", path.replace("{id}", "0" * 12), token)
    refused(response, 401, "not_authorised")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def bodies(draft):
    predictions = {"predictions": {"a": 0.5}, "card": draft()["card"]}
    finding = {"kind": "insight", "body": "b"}
    return dict(zip(WRITING, (draft(), predictions, finding, {"value": 1}), strict=True))


def place(site, path):
    """The path itself, or that of a finding which ada posted."""
    if "{finding}" not in path:
        return path
    posted = site.call("POST", "/findings", json={"kind": "insight", "body": "ada's"})
    return path.replace("{finding}", posted.json()["finding"])


@pytest.mark.parametrize("path", WRITING)
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_operators_and_viewers_write_nothing(site, refused, draft, path, role):
    token, body = site.token("eve", role), bodies(draft)[path]
    response = site.call("POST", place(site, path), token, json=body)
    assert refused(response, 403, "not_authorised")["value"] == role


@pytest.mark.parametrize("path", WRITING)
@pytest.mark.parametrize("role", RESEARCHERS)
def test_researchers_write(site, draft, path, role):
    token, body = site.token("eve", role), bodies(draft)[path]
    answer = site.call("POST", place(site, path), token, json=body)
    # This campaign takes methods: whoever may hand in is told so.
    assert answer.status_code == 409 if path == "/predictions" else answer.is_success


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_test_inputs_are_for_researchers(site, refused, role):
    refused(site.call("GET", "/inputs", site.token("eve", role)), 403, "not_authorised")
    refused(site.call("GET", "/inputs"), 409, "conflict")


@pytest.mark.parametrize("path", WRITING)
@pytest.mark.parametrize("token", [None, "wrong"])
def test_nobody_writes_without_a_good_token(site, refused, draft, path, token):
    response = site.call("POST", place(site, path), token, json=bodies(draft)[path])
    refused(response, 401, "not_authorised")


@pytest.mark.parametrize("role", Role)
def test_every_role_reads(site, role):
    name, token = site.submit(), site.token("eve", role)
    for path in READING:
        assert site.call("GET", path.replace("{id}", name), token).status_code == 200


def test_a_token_of_another_campaign_opens_nothing(site, refused):
    config = {"seeds": 2, "max_submissions": 3}
    other = create_campaign(site.store, Plan("p", "1", "d", "SEALED", "a", config)).id
    token = issue(site.store, other, "ada", Role.RESEARCHER, 1)
    refused(site.call("GET", "/brief", token), 401, "not_authorised")


def test_an_expired_token_opens_nothing(site, refused):
    site.now += 3600
    refused(site.call("GET", "/brief"), 401, "not_authorised")


def test_a_role_is_checked_before_the_body(site, refused):
    response = site.call("POST", "/submissions", site.token("eve", Role.VIEWER), json={})
    refused(response, 403, "not_authorised")
