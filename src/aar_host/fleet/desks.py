"""The seats' ways to language models: endpoints with keys and prices, a forwarder for each seat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from aar_host.auth import issue
from aar_host.fleet.campaign import socket_folder
from aar_host.fleet.options import Options
from aar_host.fleet.seating import ModelPlan
from aar_host.models.account import Account
from aar_host.models.asking import ask_through
from aar_host.models.desk import Desk
from aar_host.models.endpoint import Endpoint
from aar_host.models.forwarder import forwarder
from aar_host.models.prices import Price, load_prices, price_of
from aar_host.models.redact import Redactor
from aar_host.models.transcript import Transcript
from aar_host.monitors.asking import MONITOR, Ask
from aar_host.researchers.line import CallLog, Line
from aar_host.server.serving import listening
from aar_host.settings import variable
from aar_host.store import Store
from aar_host.store.ledger import Event, append
from aar_lab.errors import BadSettings, UnknownName
from aar_lab.types import Role

TRANSCRIPTS = "transcripts"
TOKEN_HOURS = 1.0  # of the monitor, whom nobody asks for its token
CONNECTIONS = 48  # of one box at a time: all seats together stay below the host's open files


def endpoints_of(options: Options) -> Mapping[str, Endpoint]:
    """Name of each model of a campaign → where it is asked.

    Raises:
        UnknownName: its price is not known.
        BadSettings: the variable that should hold its key is not set.
    """
    prices = load_prices(Path(options.prices) if options.prices else None) if options.models else {}
    return {plan.name: _endpoint(plan, prices) for plan in options.models}


def _endpoint(plan: ModelPlan, prices: Mapping[str, Price]) -> Endpoint:
    price = price_of(prices, plan.model) if plan.price is None else _given(plan.price)
    return Endpoint(plan.model, plan.wire, plan.model, price, plan.base_url, _key(plan))


def _given(price: Mapping[str, float]) -> Price:
    plain = price["input"]
    cached, written = price.get("cached_input", plain), price.get("cache_write", plain)
    return Price(plain, cached, written, price["output"])


def _key(plan: ModelPlan) -> str | None:
    if not plan.key:
        return None
    found = variable(plan.key)
    if not found:
        raise BadSettings(
            plan.key, f"it is not set, and {plan.model} needs its key", f"export {plan.key}=…"
        )
    return found


Home = tuple[Store, str, Path]  # a campaign's store, its id, its directory


class Desks(AbstractContextManager["Desks"]):
    """The forwarders of a campaign; each ends with this context.

    Args:
        endpoints: as of `endpoints_of`.
        secrets: texts that no transcript may hold, beside the keys: tokens.
    """

    def __init__(
        self, home: Home, endpoints: Mapping[str, Endpoint], secrets: Sequence[str] = ()
    ) -> None:
        self._store, self._campaign, self._directory = home
        self._endpoints = endpoints
        keys = [endpoint.key for endpoint in endpoints.values() if endpoint.key]
        self.redactor = Redactor([*keys, *secrets])
        self._open = ExitStack()
        self._lines: list[Path] = []

    def line(self, researcher: str, model: str) -> Line:
        """Open a desk for a researcher, who acts in the campaign already.

        Args:
            model: its name in the campaign.
        """
        endpoint, calls = self._endpoints[model], CallLog()
        desk = Desk(
            account=Account(self._store, self._campaign, researcher),
            endpoints={endpoint.name: endpoint},
            note=calls.add,
            record=partial(self._record, researcher),
            transcript=Transcript(
                self._directory / TRANSCRIPTS / f"{researcher}.jsonl", self.redactor
            ),
            redactor=self.redactor,
        )
        folder = socket_folder(self._campaign)
        folder.mkdir(mode=0o700, exist_ok=True)
        socket = folder / f"{researcher}-{len(self._lines)}.sock"
        self._lines.append(socket)
        self._open.enter_context(listening(forwarder(desk), socket, connections=CONNECTIONS))
        return Line(endpoint.name, endpoint.wire, socket, calls.since)

    def _record(self, researcher: str, kind: str, payload: Mapping[str, Any]) -> None:
        event = Event(self._campaign, kind, {"researcher": researcher, **payload})
        with self._store.writing() as connection:
            append(connection, self._store.clock(), event)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()


@contextmanager
def asking(home: Home, options: Options, model: str) -> Iterator[Ask]:
    """A function that asks one of a campaign's models in the monitor's name.

    Raises:
        UnknownName: the campaign has no model of this name.
    """
    endpoints = endpoints_of(options)
    if model not in endpoints:
        told = ", ".join(endpoints) or "none"
        raise UnknownName(model, "the campaign has no model of this name", f"Known: {told}.")
    store, campaign, _ = home
    issue(store, campaign, MONITOR, Role.VIEWER, TOKEN_HOURS)
    try:
        with Desks(home, endpoints) as desks:
            yield monitor_line(desks, model)
    finally:
        with suppress(OSError):  # of a fleet that runs just now, it is not empty
            socket_folder(campaign).rmdir()


def monitor_line(desks: Desks, model: str) -> Ask:
    """How the monitor, who acts in the campaign already, asks a model."""
    line = desks.line(MONITOR, model)
    return ask_through(line.socket, line.wire, line.model)
