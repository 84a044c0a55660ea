"""The MCP door of the host, asked by the real client over a real port."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Iterator

import httpx
import httpx2
import pytest
from mcp import Client as McpClient
from mcp import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from tests.cards import docstring

from aar_host.server import listening
from aar_host.server.errors import MAX_BODY_BYTES
from aar_host.server.mcp import CALLS_EACH
from aar_lab.tools import VERBS, without_box
from aar_lab.types import Role

METHOD = docstring() + "\n\ndef train(task, rng): ...\n"
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "brief", "arguments": {}},
}
HEADERS = {"Accept": "application/json, text/event-stream"}


@pytest.fixture
def where(tmp_path) -> str:
    """One database will do: what is tested here lies before the store."""
    return str(tmp_path / "lab.db")


@pytest.fixture
def url(site, tmp_path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with listening(site.app, tmp_path / "host.sock", port):
        yield f"http://127.0.0.1:{port}/mcp"


def talk(url: str, token: str, *calls, mode: str = "auto") -> list:
    """The results of the calls, each a pair of a tool's name and its arguments."""

    async def ask():
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
            transport = streamable_http_client(url, http_client=http)
            async with McpClient(transport, mode=mode) as client:
                listed = (await client.list_tools()).tools
                return [listed, *[await client.call_tool(*call) for call in calls]]

    return asyncio.run(ask())


def error_of(result) -> dict:
    assert result.is_error
    return json.loads(result.content[0].text)["error"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_researcher_s_day(site, url, mode):
    tools, brief, accepted = talk(
        url, site.ada, ("brief", {}), ("submit", {"file": METHOD}), mode=mode
    )
    assert [tool.name for tool in tools] == [verb.name for verb in without_box()]
    assert brief.structured_content == site.call("GET", "/brief").json() | {"submissions_left": 3}
    name = accepted.structured_content["submission"]
    site.score(name, 0.5)
    post = {"kind": "result", "body": "It works.", "cites": [name]}
    _, scores, posted, findings = talk(
        url, site.ada, ("scores", {"submission": name}), ("post", post), ("findings", {}), mode=mode
    )
    assert scores.structured_content["score"]["pgr"] == 0.5
    assert set(posted.structured_content) == {"finding"}
    assert findings.structured_content == site.call("GET", "/findings").json()


def test_each_call_acts_in_the_name_of_its_own_token(site, url):
    bob = site.token("bob")
    talk(url, site.ada, ("post", {"kind": "insight", "body": "mine"}))
    talk(url, bob, ("post", {"kind": "insight", "body": "his"}))
    rows = site.call("GET", "/findings").json()["findings"]
    assert [(row["author"], row["body"]) for row in rows] == [("ada", "mine"), ("bob", "his")]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_only_read_writes_nothing_here_either(site, url, role):
    token = site.token("eve", role)
    post = {"kind": "insight", "body": "b"}
    _, brief, submitted, posted = talk(
        url, token, ("brief", {}), ("submit", {"file": METHOD}), ("post", post)
    )
    assert brief.structured_content["you"]["role"] == role
    assert error_of(submitted)["code"] == error_of(posted)["code"] == "not_authorised"
    assert site.call("GET", "/brief").json()["submissions_left"] == 3


@pytest.mark.parametrize("token", [None, "wrong", "w" * 5000])
def test_without_a_good_token_nothing_is_told(site, url, refused, token):
    headers = HEADERS if token is None else HEADERS | {"Authorization": f"Bearer {token}"}
    for content in (json.dumps(CALL), "{", ""):
        response = httpx.post(url, content=content, headers=headers)
        refused(response, 401, "not_authorised")
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_what_is_local_or_a_path_does_not_exist_here(site, url, tmp_path):
    (tmp_path / "m.py").write_text(METHOD)
    _, tried, path, passwd, into = talk(
        url,
        site.ada,
        ("try", {"file": METHOD}),
        ("submit", {"file": str(tmp_path / "m.py")}),
        ("check", {"file": "/etc/passwd"}),
        ("findings", {"into": str(tmp_path / "notes")}),
    )
    assert error_of(tried)["code"] == "unknown_name"
    assert error_of(path)["code"] == error_of(passwd)["code"] == "bad_source"
    assert error_of(into)["value"] == "into"
    assert not (tmp_path / "notes").exists()


def test_the_limits_of_the_routes_hold(site, url, refused):
    _, huge, forever = talk(
        url,
        site.ada,
        ("submit", {"file": "#" * 65_537}),
        ("scores", {"submission": "0" * 12, "wait": 1e9}),
    )
    assert error_of(huge)["fault"].endswith("more than 65536 bytes")
    assert error_of(forever)["value"] == "wait"
    headers = HEADERS | {"Authorization": f"Bearer {site.ada}", "Content-Type": "application/json"}
    response = httpx.post(url, content=b" " * (MAX_BODY_BYTES + 1), headers=headers)
    refused(response, 413, "bad_input")


def test_callers_who_wait_hold_up_nobody_else(site, url):
    """Ada's calls take all her threads; bob's are answered, and so are the routes they lead to."""
    name, bob = site.submit(), site.token("bob")
    waiting = [("scores", {"submission": name, "wait": 20})]

    async def ask():
        slow = [
            asyncio.create_task(asyncio.to_thread(talk, url, site.ada, *waiting))
            for _ in range(CALLS_EACH)
        ]
        quick = [await asyncio.to_thread(talk, url, bob, ("brief", {})) for _ in range(2)]
        assert not any(task.done() for task in slow)
        await asyncio.to_thread(site.score, name, 0.5)
        return quick, await asyncio.gather(*slow)

    quick, slow = asyncio.run(ask())
    assert all(brief.structured_content["you"]["name"] == "bob" for _, brief in quick)
    assert all(found.structured_content["status"] == "done" for _, found in slow)


@pytest.mark.parametrize(
    ("extra", "content", "status"),
    [
        ({"Host": "evil.example"}, json.dumps(CALL), 421),
        ({"Origin": "http://evil.example"}, json.dumps(CALL), 403),
        ({"Content-Type": "text/plain"}, json.dumps(CALL), 400),
        ({"Accept": "text/html"}, json.dumps(CALL), 406),
        ({}, "{", 400),
        ({}, "[" * 100_000, 400),
        ({}, '"\\ud800"', 400),
        ({}, json.dumps([CALL, CALL]), 400),
        ({"MCP-Protocol-Version": "9999-01-01"}, json.dumps(CALL), 400),
    ],
)
def test_what_is_no_message_of_the_protocol_is_refused(site, url, extra, content, status):
    headers = HEADERS | {"Authorization": f"Bearer {site.ada}", "Content-Type": "application/json"}
    assert httpx.post(url, content=content, headers=headers | extra).status_code == status
    assert talk(url, site.ada, ("brief", {}))[1].structured_content


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
def test_there_are_no_sessions_and_no_streams(site, url, refused, verb):
    headers = HEADERS | {"Authorization": f"Bearer {site.ada}"}
    refused(httpx.request(verb, url, headers=headers), 405, "bad_input")


def test_the_unix_socket_is_a_door_too(site, url, tmp_path):
    headers = HEADERS | {"Authorization": f"Bearer {site.ada}"}
    transport = httpx.HTTPTransport(uds=str(tmp_path / "host.sock"))
    with httpx.Client(transport=transport) as http:
        response = http.post("http://host/mcp", json=CALL, headers=headers)
    assert response.json()["result"]["structuredContent"]["you"]["name"] == "ada"


def test_without_a_lifespan_the_rest_of_the_application_works(site, refused):
    assert site.call("GET", "/brief").status_code == 200
    refused(site.call("POST", "http://host/mcp", json=CALL), 503, "unavailable")


def test_stdio_in_a_box_reaches_the_same_host(site, url, tmp_path):
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "aar_lab.cli", "mcp"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AAR_SOCKET": str(tmp_path / "host.sock"),
            "AAR_TOKEN": site.ada,
        },
    )

    async def ask():
        async with McpClient(command) as client:
            return (
                [tool.name for tool in (await client.list_tools()).tools],
                await client.call_tool("submit", {"file": METHOD}),
                await client.call_tool("submit", {"file": METHOD}),
                await client.call_tool("findings", {"into": str(tmp_path / "notes")}),
            )

    names, accepted, again, written = asyncio.run(ask())
    assert names == [verb.name for verb in VERBS]
    assert accepted.structured_content["status"] == "queued"
    assert again.structured_content == accepted.structured_content
    assert written.structured_content["files"] == ["INDEX.md"]
