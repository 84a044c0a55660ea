"""The review through a forwarder, in every protocol: it is paid for, and fails closed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.aar_host.models.conftest import Seat
from tests.aar_host.monitors.test_review import SOURCE
from tests.cards import CARD
from tests.scripted.script import Asked, Call, Fault, Reply
from tests.scripted.server import scripted

from aar_host.auth import issue
from aar_host.budgets import Budget, Budgets
from aar_host.models.account import Account
from aar_host.models.asking import ask_through
from aar_host.models.forwarder import forwarder
from aar_host.monitors.asking import MONITOR
from aar_host.monitors.review import Pace, Reviewer
from aar_host.researchers.base import Wire
from aar_host.server.serving import listening
from aar_host.store.actors import find_actor
from aar_host.store.reviews import list_reviews
from aar_host.store.spending import spent
from aar_host.store.submissions import Draft, add_submission
from aar_lab.types import Role

NO_LIMITS = Budgets()
FAULTS = [fault for fault in Fault if fault is not Fault.MALFORMED]


def passing(asked: Asked) -> Reply:
    """A pass in whatever form the protocol has for objects."""
    digest = re.search(r"method_digest: ([0-9a-f]{64})", json.dumps(asked.body))
    assert digest is not None
    empty: dict[str, object] = {"violations": [], "divergences": [], "missing": []}
    body = {"method_digest": digest[1], "verdict": "pass", **empty}
    if asked.path == "/v1/messages":
        return Reply(calls=[Call("answer", body)])
    return Reply(json.dumps(body))


def review(folder: Path, wire: Wire, script, budgets: Budgets = NO_LIMITS):
    """Hand in a method and review it by a scripted model; returns the reviews and the seat."""
    with scripted(script) as server:
        seat = Seat(folder, server.url, budgets)
        issue(seat.store, seat.campaign, MONITOR, Role.VIEWER, 1)
        account = Account(seat.store, seat.campaign, MONITOR)
        ada = find_actor(seat.store, seat.campaign, "ada")
        add_submission(seat.store, seat.campaign, ada, Draft(SOURCE, CARD))
        socket = folder / "monitor.sock"
        with listening(forwarder(replace(seat.desk, account=account)), socket):
            ask = ask_through(socket, wire, wire.value)
            Reviewer(seat.store, seat.campaign, ask, True, Pace(tries=1)).tick()
        return list_reviews(seat.store, seat.campaign), seat, server


@pytest.mark.parametrize("wire", list(Wire))
def test_a_review_is_asked_in_every_protocol_and_paid_by_the_monitor(tmp_path, wire):
    (found,), seat, server = review(tmp_path, wire, passing)
    assert (found.verdict.value, found.body["answered"]) == ("pass", True)
    assert len(server.asked) == 2
    monitor = find_actor(seat.store, seat.campaign, MONITOR)
    assert spent(seat.store, seat.campaign, monitor).dollars > 0
    assert spent(seat.store, seat.campaign, find_actor(seat.store, seat.campaign, "ada")) == (
        replace(spent(seat.store, seat.campaign), dollars=0.0, tokens=0.0)
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_that_fails_lets_nothing_pass(tmp_path, fault):
    def script(asked: Asked) -> Reply:
        return replace(passing(asked), fault=fault, text="I cannot help with that.", calls=())

    (found,), _, _ = review(tmp_path, Wire.MESSAGES, script)
    assert (found.verdict.value, found.body["answered"]) == ("fail", False)


def test_a_pass_in_prose_is_none(tmp_path):
    (found,), _, _ = review(tmp_path, Wire.CHAT, lambda asked: Reply("The verdict is pass."))
    assert found.body["answered"] is False


def test_without_budget_nothing_passes(tmp_path):
    budgets = Budgets(seats={MONITOR: Budget(tokens=1)})
    (found,), _, server = review(tmp_path, Wire.RESPONSES, passing, budgets)
    assert (found.verdict.value, found.body["answered"]) == ("fail", False)
    assert len(server.asked) == 1
