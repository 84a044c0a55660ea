"""A seat's forwarder on a real socket, before a provider that is scripted or a function."""

from __future__ import annotations

import asyncio
import functools
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.scripted.server import KEY, Scripted

from aar_host.auth import issue
from aar_host.budgets import Budget, Budgets
from aar_host.models.account import Account
from aar_host.models.desk import Bounds, Desk, make_client
from aar_host.models.endpoint import Endpoint
from aar_host.models.forwarder import forwarder
from aar_host.models.prices import Price
from aar_host.models.redact import Redactor
from aar_host.models.transcript import Transcript
from aar_host.researchers.base import CallNote, CallOutcome, Wire
from aar_host.server.serving import listening
from aar_host.store import open_store
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.ledger import events
from aar_host.store.spending import Spent, spent
from aar_lab.types import Role

TOKEN = "tok-of-the-box-0123456789"
# A dollar for a million tokens of the prompt, ten for the output.
PRICE = Price(1.0, 0.5, 2.0, 10.0, 4.0)
PATHS = {
    Wire.MESSAGES: "/v1/messages",
    Wire.RESPONSES: "/v1/responses",
    Wire.CHAT: "/v1/chat/completions",
}
Provider = Callable[[httpx.Request], Any]


def body_of(wire: Wire, text: str = "hello", **more: Any) -> dict[str, Any]:
    """A request in that protocol."""
    said = [{"role": "user", "content": text}]
    body: dict[str, Any] = {"model": wire.value, "max_tokens": 1000, "messages": said}
    if wire is Wire.RESPONSES:
        body = {"model": wire.value, "max_output_tokens": 1000, "input": said}
    return body | more


@functools.cache
def empty_store() -> bytes:
    """A migrated database, made once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.db"
        open_store(path).close()
        return path.read_bytes()


@dataclass
class Seat:
    """A campaign with `ada`, her forwarder, and all that it told."""

    folder: Path
    base_url: str = "http://provider.test"
    budgets: Budgets = field(default_factory=Budgets)
    bounds: Bounds = field(default_factory=Bounds)
    transport: httpx.AsyncBaseTransport | None = None
    notes: list[CallNote] = field(default_factory=list)
    recorded: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "lab.db").write_bytes(empty_store())
        self.store = open_store(self.folder / "lab.db")
        config = {"seeds": 1, "max_submissions": 9, "budgets": self.budgets.as_dict()}
        plan = Plan("chat-mini", "1", "d" * 64, "SEALED", "a1", config)
        self.campaign = create_campaign(self.store, plan).id
        issue(self.store, self.campaign, "ada", Role.RESEARCHER, 1)
        redactor = Redactor([KEY, TOKEN])
        self.transcript = self.folder / "transcripts" / "ada.jsonl"
        self.desk = Desk(
            account=Account(self.store, self.campaign, "ada"),
            endpoints={
                wire.value: Endpoint(
                    wire.value, wire, f"real-{wire.value}", PRICE, self.base_url, KEY
                )
                for wire in Wire
            },
            note=self.notes.append,
            record=lambda kind, payload: self.recorded.append((kind, payload)),
            transcript=Transcript(self.transcript, redactor),
            redactor=redactor,
            http=make_client(self.transport),
            bounds=self.bounds,
        )
        self.app = forwarder(self.desk)

    @property
    def spent(self) -> Spent:
        return spent(self.store, self.campaign)

    @property
    def outcomes(self) -> list[CallOutcome]:
        return [note.outcome for note in self.notes]

    @property
    def kept(self) -> list[dict[str, Any]]:
        """The lines of the transcript."""
        return [json.loads(line) for line in self.transcript.read_text().splitlines()]

    def calls(self) -> list[Mapping[str, Any]]:
        """What the ledger says of model calls."""
        found = events(self.store, self.campaign)
        return [event.payload for event in found if event.kind == "model_call"]


@dataclass
class Box:
    """What a program in the box can do: speak to the socket, or as if there were one."""

    seat: Seat
    socket: Path | None = None

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        transport = httpx.HTTPTransport(uds=str(self.socket))
        with httpx.Client(transport=transport, base_url="http://box", timeout=30) as http:
            yield http

    def ask(self, wire: Wire, text: str = "hello", **more: Any) -> httpx.Response:
        return self.call("POST", PATHS[wire], json=body_of(wire, text, **more))

    def call(self, verb: str, path: str, **more: Any) -> httpx.Response:
        if self.socket is None:
            return asyncio.run(self._call(verb, path, **more))
        with self.client() as http:
            return http.request(verb, path, **more)

    async def _call(self, verb: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.seat.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://box") as http:
            return await http.request(verb, path, **more)


@contextmanager
def seated(folder: Path, provider: Provider | Scripted | None = None, **more: Any) -> Iterator[Box]:
    """A seat whose forwarder is called without sockets; see `Seat`."""
    seat = Seat(folder, transport=_transport(provider), **more)
    yield Box(seat)
    seat.store.close()


@contextmanager
def served(folder: Path, provider: Provider | Scripted | None = None, **more: Any) -> Iterator[Box]:
    """A seat whose forwarder listens on a real socket; see `Seat`."""
    seat = Seat(folder, transport=_transport(provider), **more)
    with tempfile.TemporaryDirectory(prefix="aar-") as short:
        socket = Path(short) / "model.sock"
        with listening(seat.app, socket):
            yield Box(seat, socket)
    seat.store.close()


def _transport(provider: Provider | Scripted | None) -> httpx.AsyncBaseTransport | None:
    if isinstance(provider, Scripted):
        return httpx.ASGITransport(app=provider.app, raise_app_exceptions=False)
    return None if provider is None else httpx.MockTransport(provider)


def dollars(amount: float) -> Budgets:
    """A pool of so many dollars."""
    return Budgets(pool=Budget(dollars=amount))


@pytest.fixture(params=list(Wire))
def wire(request: pytest.FixtureRequest) -> Wire:
    """Each protocol."""
    found: Wire = request.param
    return found
