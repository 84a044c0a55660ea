"""The seats' ways to language models: endpoints with keys and prices, a forwarder for each seat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from aar_host.fleet.campaign import Campaign, socket_folder
from aar_host.fleet.options import Options
from aar_host.fleet.seating import ModelPlan
from aar_host.models.account import Account
from aar_host.models.desk import Desk
from aar_host.models.endpoint import Endpoint
from aar_host.models.forwarder import forwarder
from aar_host.models.prices import Price, load_prices, price_of
from aar_host.models.redact import Redactor
from aar_host.models.transcript import Transcript
from aar_host.researchers.line import CallLog, Line
from aar_host.server.serving import listening
from aar_host.settings import variable
from aar_host.store.ledger import Event, append
from aar_lab.errors import BadSettings

TRANSCRIPTS = "transcripts"
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


class Desks(AbstractContextManager["Desks"]):
    """The forwarders of a running campaign; each ends with this context.

    Args:
        endpoints: as of `endpoints_of`.
        secrets: texts that no transcript may hold, beside the keys: tokens.
    """

    def __init__(
        self, campaign: Campaign, endpoints: Mapping[str, Endpoint], secrets: Sequence[str] = ()
    ) -> None:
        self._campaign, self._endpoints = campaign, endpoints
        keys = [endpoint.key for endpoint in endpoints.values() if endpoint.key]
        self._redactor = Redactor([*keys, *secrets])
        self._open = ExitStack()

    def line(self, researcher: str, model: str) -> Line:
        """Open a desk for a researcher, who acts in the campaign already.

        Args:
            model: its name in the campaign.
        """
        endpoint, calls, campaign = self._endpoints[model], CallLog(), self._campaign
        desk = Desk(
            account=Account(campaign.store, campaign.id, researcher),
            endpoints={endpoint.name: endpoint},
            note=calls.add,
            record=partial(self._record, researcher),
            transcript=Transcript(
                campaign.grounds.directory / TRANSCRIPTS / f"{researcher}.jsonl", self._redactor
            ),
            redactor=self._redactor,
        )
        socket = socket_folder(campaign.id) / f"{researcher}-{model}.sock"
        self._open.enter_context(listening(forwarder(desk), socket, connections=CONNECTIONS))
        return Line(endpoint.name, endpoint.wire, socket, calls.since)

    def _record(self, researcher: str, kind: str, payload: Mapping[str, Any]) -> None:
        store = self._campaign.store
        event = Event(self._campaign.id, kind, {"researcher": researcher, **payload})
        with store.writing() as connection:
            append(connection, store.clock(), event)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()
