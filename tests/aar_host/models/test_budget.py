"""The budget of a seat whose program asks for much at once."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from tests.aar_host.models.conftest import PATHS, PRICE, body_of, dollars, seated
from tests.scripted.script import Reply, Usage, in_order
from tests.scripted.server import Scripted

from aar_host.models.desk import Bounds
from aar_host.models.usage import Usage as Used
from aar_host.researchers.base import CallOutcome, Wire

REPLY = Reply("hello", usage=Usage(20, output=900), delay=0.02)
COST = Used(20, output=900).dollars(PRICE)


async def _all_at_once(box, number: int) -> list[int]:
    transport = httpx.ASGITransport(app=box.seat.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://box") as http:
        answers = await asyncio.gather(
            *(http.post(PATHS[w], json=body_of(w)) for _ in range(number) for w in Wire)
        )
    return [answer.status_code for answer in answers]


def test_calls_made_at_once_hold_the_budget_to_within_one_call(tmp_path):
    server = Scripted(in_order(REPLY))
    limit = 4.5 * COST
    bounds = Bounds(calls=100)
    with seated(tmp_path, server, budgets=dollars(limit), bounds=bounds) as box:
        codes = asyncio.run(_all_at_once(box, 10))
    assert sorted(set(codes)) == [200, 403]
    assert codes.count(200) == len(server.asked) == 5
    assert limit <= box.seat.spent.dollars < limit + COST
    assert set(box.seat.outcomes) == {CallOutcome.OK, CallOutcome.OVER_BUDGET}
    assert [note.number for note in box.seat.notes] == list(range(1, len(box.seat.notes) + 1))


def test_a_call_waits_for_what_others_have_reserved_and_is_told_to_come_back(tmp_path):
    server = Scripted(in_order(Reply("hello", usage=Usage(1, output=1), delay=1.0)))
    bounds = Bounds(wait_seconds=0.0, calls=100)
    with seated(tmp_path, server, budgets=dollars(COST), bounds=bounds) as box:
        codes = asyncio.run(_all_at_once(box, 1))
    assert sorted(codes) == [200, 429, 429]
    assert box.seat.outcomes == [CallOutcome.OK]


def test_more_calls_at_a_time_than_allowed_are_turned_away(tmp_path):
    server = Scripted(in_order(Reply("hello", delay=0.5)))
    with seated(tmp_path, server, bounds=Bounds(calls=2)) as box:
        codes = asyncio.run(_all_at_once(box, 2))
    assert sorted(codes) == [200, 200, 429, 429, 429, 429]
    assert box.seat.spent.dollars == pytest.approx(2 * Used(100, output=20).dollars(PRICE))


def test_bodies_that_are_too_long_together_are_turned_away_and_then_forgotten(tmp_path):
    server = Scripted(in_order(Reply("hello", delay=0.5)))
    size = len(str(body_of(Wire.RESPONSES)))
    with seated(tmp_path, server, bounds=Bounds(bytes=2 * size)) as box:
        codes = asyncio.run(_all_at_once(box, 3))
        assert set(codes) == {200, 429}
        assert box.ask(Wire.CHAT).status_code == 200
