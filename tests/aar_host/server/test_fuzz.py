"""Whatever is sent to any door, the store stays whole, and the next honest submission works."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.aar_host.server import hostile
from tests.cards import card_body, docstring

from aar_host.server import listening
from aar_host.store import Tier
from aar_host.store.campaigns import get_campaign
from aar_host.store.findings import list_findings
from aar_host.store.jobs import jobs_of
from aar_host.store.ledger import verify_ledger
from aar_host.store.submissions import list_submissions

pytestmark = pytest.mark.slow
POOL = 100_000
NOBODY = "0" * 12
HONEST = docstring() + "\n\ndef train(task, rng):\n    return task.student()\n"
# How the doors say that something was accepted: in JSON, and in JSON within a tool's text.
ACCEPTED = re.compile(rb'"submission": ?"([0-9a-f]{12})", ?"status": ?"queued"')
POSTED = re.compile(rb'"finding": ?"([0-9a-f]{12})"\}')
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
FUZZ = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def where(tmp_path) -> str:
    """One database will do: what is tested here lies before the store."""
    return str(tmp_path / "lab.db")


@dataclass
class Target:
    """A live server on a unix socket, and what it has acknowledged so far."""

    site: Any
    path: Path
    accepted: set[str] = field(default_factory=set)
    posted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.path)), base_url="http://host", timeout=60
        )

    def routes(self) -> dict[str, dict[str, Any]]:
        """The path of each POST route of the document, with an example of its body."""
        document, found = self.site.app.openapi(), {}
        for path, operations in document["paths"].items():
            if "post" in operations:
                content = operations["post"]["requestBody"]["content"]["application/json"]
                name = content["schema"].get("$ref", "").rsplit("/", 1)[-1]
                models = document["components"]["schemas"]
                example = models[name]["examples"][0] if name else content["example"]
                found[path.replace("{submission}", NOBODY).replace("{finding}", NOBODY)] = example
        return found

    def post(self, path: str, content: bytes, **headers: str) -> int:
        """Send a body and return the status of the answer, which is no failure of the server."""
        known = {
            "Authorization": f"Bearer {self.site.ada}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        sent = {k.replace("_", "-").encode(): v.encode("latin-1") for k, v in headers.items()}
        merged = {k.lower().encode(): v.encode() for k, v in known.items()} | sent
        response = self.http.post(path, content=content, headers=list(merged.items()))
        assert response.status_code < 500, response.text
        self._remember(response.content)
        return response.status_code

    def wire(self, request: bytes) -> list[int]:
        """Send bytes, read until the server is silent or hangs up, and return the statuses."""
        answer = b""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(0.3)
            connection.connect(str(self.path))
            try:
                connection.sendall(request)
                while more := connection.recv(65_536):
                    answer += more
            except OSError:
                pass  # it hung up, or waits for more
        self._remember(answer)
        return [int(status) for status in STATUS.findall(answer)]

    def _remember(self, answer: bytes) -> None:
        self.accepted |= {name.decode() for name in ACCEPTED.findall(answer)}
        self.posted |= {name.decode() for name in POSTED.findall(answer)}

    def check(self) -> None:
        """The store holds what was acknowledged, and nothing else; and the doors still open."""
        status = self.post("/v1/submissions", _body(HONEST + f"# {len(self.accepted)}\n"))
        assert status == 202
        store, campaign = self.site.store, self.site.campaign
        verify_ledger(store)
        found = list_submissions(store, campaign)
        assert {one.id for one in found} == self.accepted
        assert get_campaign(store, campaign).charged == len(found)
        assert all(len(jobs_of(store, one.id, Tier.PUBLIC)) == 2 for one in found)
        notes = list_findings(store, campaign)
        assert {note.id for note in notes} == self.posted
        assert {note.author for note in notes} <= {"ada"}
        assert not any("smuggled" in note.body for note in notes)
        for path in ("brief", "submissions", "leaderboard", "findings"):
            assert self.site.call("GET", f"/{path}").status_code == 200


def _body(source: str, **card: str) -> bytes:
    return json.dumps({"source": source, "card": card_body(**card)}).encode()


@pytest.fixture
def target(site, tmp_path) -> Iterator[Target]:
    config = {"seeds": 2, "max_submissions": POOL}
    wide = type(site)(tmp_path / "wide.db", config=config)
    with listening(wide.app, tmp_path / "host.sock"):
        yield Target(wide, tmp_path / "host.sock")


def test_bodies_that_are_nothing(target):
    for path in target.routes():
        for body in hostile.BODIES:
            assert target.post(path, body) in (400, 413, 422)
    target.check()


def test_each_value_of_each_body_replaced(target):
    for path, example in target.routes().items():
        for mutant in hostile.mutants(example):
            target.post(path, json.dumps(mutant).encode())
        target.post(path, hostile.duplicates(example))
    target.check()


def test_sources_nested_in_every_way(target):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    for source in hostile.SOURCES:
        for text in (source, hostile.HEAD + source):
            assert target.post("/v1/submissions", _body(text)) in (202, 409, 422)
            for name in ("submit", "check"):
                params = {"name": name, "arguments": {"file": text}}
                assert target.post("/mcp", json.dumps(call | {"params": params}).encode()) == 200
    target.check()


def test_bodies_of_another_type_and_bombs_that_are_not_expanded(target):
    for path, example in target.routes().items():
        body = json.dumps(example).encode()
        for kind in hostile.TYPES:
            target.post(path, body, content_type=kind)
        for encoding, bomb in hostile.BOMBS.items():
            assert len(bomb) < 100_000
            assert target.post(path, bomb, content_encoding=encoding) in (400, 422)
    target.check()


def test_ids_and_queries_that_are_none(target):
    known = {"Authorization": f"Bearer {target.site.ada}"}
    for text in hostile.TEXTS:
        raw = text.encode("utf-8", "surrogatepass")[:2_000]
        quoted = "".join(f"%{byte:02x}" for byte in raw)
        for path in ("submissions/{}", "submissions/{}/source", "findings?since={}"):
            url = "/v1/" + path.format(quoted)
            status = target.http.get(url, headers=known).status_code
            assert status in (200, 307, 404, 422), url
    target.check()


def test_requests_whose_framing_lies(target):
    for path, example in target.routes().items():
        body = json.dumps(example).encode()
        for request in hostile.wires(path, target.site.ada, body):
            statuses = target.wire(request)
            assert all(status < 500 for status in statuses), request[:300]
    target.check()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_requests_that_break_off_leave_nothing(target, share):
    for path, example in target.routes().items():
        body = json.dumps(example).encode()
        head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        request = hostile.framed(path, target.site.ada, head, body)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(target.path))
            connection.sendall(request[: int(share * len(request))])
    target.check()
    assert len(target.accepted) == 1


@FUZZ
@given(content=st.binary(max_size=2_000) | JSON.map(lambda value: json.dumps(value).encode()))
def test_random_bytes_and_random_json(target, content):
    for path in target.routes():
        assert target.post(path, content) in (400, 422)


@FUZZ
@given(data=st.data())
def test_random_changes_of_a_good_body(target, data):
    for path, example in target.routes().items():
        body = bytearray(json.dumps(example).encode())
        for _ in range(data.draw(st.integers(1, 4))):
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
        target.post(path, bytes(body))
    verify_ledger(target.site.store)
    assert {one.id for one in list_submissions(target.site.store, target.site.campaign)} == (
        target.accepted
    )
