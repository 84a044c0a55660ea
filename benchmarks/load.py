"""Two hundred clients against one server process: how long each waits, and whether all is kept."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlalchemy import select
from tests.cards import card_body
from tests.paper import Paper

from aar_host.auth import issue
from aar_host.feedback import EXACT
from aar_host.jobs.grounds import Grounds
from aar_host.jobs.judging import Judge
from aar_host.server import create_app, serve
from aar_host.store import open_store
from aar_host.store.ledger import verify_ledger
from aar_host.store.schema import findings, scores, submissions
from aar_lab.types import Role

CLIENTS, SECONDS, ITEMS = 200, 20.0, 1263
READS = ("brief", "leaderboard?limit=50", "findings?limit=50", "submissions")
# One round of a client: mostly it reads. Each begins at another place of it.
ROUND = ("read", "read", "post", "read", "read", "read", "predict", "read")
PATIENCE = 60.0


@dataclass
class Tally:
    """What the clients saw: seconds of each answer, errors, and the ids they were given."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    posted: set[str] = field(default_factory=set)
    predicted: set[str] = field(default_factory=set)


def bench_load(database: str | None = None) -> dict[str, Any]:
    """Latencies in ms by kind of request, requests a second, errors, writes that were lost."""
    with tempfile.TemporaryDirectory(prefix="aar-load-") as folder:
        paper = Paper(Path(folder) / "c", EXACT, ITEMS, database=database)
        tokens = [
            issue(paper.store, paper.campaign, f"client-{i}", Role.RESEARCHER, 1)
            for i in range(CLIENTS)
        ]
        with _served(paper) as socket:
            tally, took = asyncio.run(_drive(paper, tokens, socket))
        return _told(tally, took) | {"lost_writes": _lost(paper, tally)}


@contextmanager
def _served(paper: Paper) -> Iterator[Path]:
    socket = paper.directory / "s"
    context = multiprocessing.get_context("spawn")
    where = paper.database or str(paper.directory / "store.db")
    process = context.Process(target=_serve, args=(paper.directory, where, paper.campaign, socket))
    process.start()
    until = time.monotonic() + PATIENCE
    while not socket.exists() and time.monotonic() < until:
        time.sleep(0.05)
    try:
        yield socket
    finally:
        process.terminate()
        process.join(PATIENCE)


def _serve(directory: Path, where: str, campaign: str, socket: Path) -> None:
    # The clock of a paper campaign stands still; so does this one, or tokens would have expired.
    store = open_store(where, lambda: 1000.0)
    serve(create_app(store, campaign, Judge(store, Grounds(directory))), socket)


async def _drive(paper: Paper, tokens: list[str], socket: Path) -> tuple[Tally, float]:
    clients = [_connected(token, socket) for token in tokens]
    tally, started = Tally(), time.monotonic()
    end = started + SECONDS
    await asyncio.gather(*(_client(paper, c, i, end, tally) for i, c in enumerate(clients)))
    return tally, time.monotonic() - started


def _connected(token: str, socket: Path) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=str(socket), retries=3, verify=False),
        base_url="http://host/v1/",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE,
    )


async def _client(
    paper: Paper, client: httpx.AsyncClient, number: int, end: float, tally: Tally
) -> None:
    rng = np.random.default_rng(number)
    base = paper.draw(rng, 0.7)
    async with client as http:
        for step in itertools.count(number):
            kind = ROUND[step % len(ROUND)]
            started = time.monotonic()
            if started > end:
                return
            try:
                answer = await _ask(http, kind, step, paper, base ^ (rng.random(ITEMS) < 0.1))
            except httpx.HTTPError as error:
                tally.errors.append(f"{kind}: {type(error).__name__}")
                continue
            tally.seconds[kind].append(time.monotonic() - started)
            if answer.is_error:
                tally.errors.append(f"{kind}: {answer.status_code} {answer.text[:200]}")
            elif kind == "post":
                tally.posted.add(answer.json()["finding"])
            elif kind == "predict":
                tally.predicted.add(answer.json()["submission"])


async def _ask(
    http: httpx.AsyncClient, kind: str, step: int, paper: Paper, answers: Any
) -> httpx.Response:
    if kind == "read":
        return await http.get(READS[step % len(READS)])
    if kind == "post":
        body: dict[str, Any] = {"kind": "insight", "body": f"Step {step} of {answers.sum()}."}
        return await http.post("findings", json=body)
    body = {"predictions": paper.rows(answers), "card": card_body()}
    return await http.post("predictions", json=body)


def _told(tally: Tally, took: float) -> dict[str, Any]:
    kinds = {
        kind: {
            "requests": len(seconds),
            "p50_ms": round(1000 * float(np.quantile(seconds, 0.5)), 1),
            "p99_ms": round(1000 * float(np.quantile(seconds, 0.99)), 1),
        }
        for kind, seconds in tally.seconds.items()
    }
    total = sum(map(len, tally.seconds.values()))
    return {
        "clients": CLIENTS,
        "seconds": round(took, 1),
        "requests_per_second": round(total / took, 1),
        "kinds": kinds,
        "errors": len(tally.errors),
        "first_errors": tally.errors[:3],
    }


def _lost(paper: Paper, tally: Tally) -> int:
    """Acknowledged writes that are not in the store; the ledger's chain is verified too."""
    verify_ledger(paper.store)
    with paper.store.reading() as connection:
        found = set(connection.scalars(select(findings.c.id)))
        taken = set(connection.scalars(select(submissions.c.id)))
        scored = set(connection.scalars(select(scores.c.submission)))
    return len(tally.posted - found) + len(tally.predicted - (taken & scored))
