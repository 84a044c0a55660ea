"""Does a submission cost more when a hundred thousand came before it?"""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select
from tests.cards import CARD, card_body
from tests.paper import Paper

from aar_host.auth import authenticate
from aar_host.feedback import EXACT
from aar_host.jobs.judging import Judge
from aar_host.store import Tier
from aar_host.store.claims import Claim, add_claim
from aar_host.store.ledger import verify_ledger
from aar_host.store.predictions import content_of
from aar_host.store.schema import (
    SubmissionKind,
    jobs,
    ledger,
    methods,
    predictions,
    scores,
    submissions,
)
from aar_host.store.submissions import Draft, add_submission
from aar_lab.digest import canonical, digest_json, digest_text
from aar_lab.types import JobStatus, Recipe

FEW, MANY, BATCH, MEASURED, ITEMS = 100, 100_000, 5_000, 60, 111

Rows = dict[Any, list[dict[str, Any]]]


def bench_growth(database: str | None = None) -> dict[str, Any]:
    """Median ms of handing in a method, and predictions with their score, after few and many."""
    with tempfile.TemporaryDirectory(prefix="aar-growth-") as folder:
        paper = Paper(Path(folder) / "c", EXACT, ITEMS, database=database)
        actor = authenticate(paper.store, paper.tokens[0]).id
        _grow(paper, actor, FEW)
        few = _costs(paper, actor)
        _grow(paper, actor, MANY - FEW)
        many = _costs(paper, actor)
        verify_ledger(paper.store)
    return {
        kind: {
            f"ms_after_{FEW}": round(1000 * few[kind], 2),
            f"ms_after_{MANY}": round(1000 * many[kind], 2),
            "ratio": round(many[kind] / few[kind], 2),
        }
        for kind in few
    }


def _costs(paper: Paper, actor: str) -> dict[str, float]:
    judge, rng = Judge(paper.store, paper.grounds), np.random.default_rng()

    def method() -> None:
        source = f"def train(task, rng): ...  # {secrets.token_hex(8)}"
        add_submission(paper.store, paper.campaign, actor, Draft(source, CARD))

    def claim() -> None:
        parts = judge.read(paper.rows(paper.draw(rng, 0.7)))
        made = Claim(parts, content_of(parts), CARD)
        judge.judge(add_claim(paper.store, paper.campaign, actor, made, EXACT.gate))

    return {"method": _median(method), "predictions": _median(claim)}


def _median(act: Callable[[], None]) -> float:
    act()
    found = []
    for _ in range(MEASURED):
        started = time.perf_counter()
        act()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def _grow(paper: Paper, actor: str, number: int) -> None:
    """Rows as so many finished submissions leave them, half of each kind, with a valid chain.

    They come in seconds here, in days there: PostgreSQL's own housekeeping, which looks at what has
    grown once a minute, is done by hand so that its plans are those of a table that grew slowly.
    """
    for start in range(0, number, BATCH):
        with paper.store.writing() as connection:
            _fill(connection, paper, actor, min(BATCH, number - start))
    with paper.store.writing() as connection:
        connection.exec_driver_sql("ANALYZE")


def _fill(connection: Connection, paper: Paper, actor: str, number: int) -> None:
    tables = (methods, submissions, jobs, predictions, scores, ledger)
    rows: Rows = {table: [] for table in tables}
    last = connection.execute(
        select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)
    ).one()
    seq, chain = last.seq, last.hash
    for i in range(number):
        name = secrets.token_hex(6)
        method = i % 2 == 0
        source = f"# {name}"
        kind = SubmissionKind.METHOD if method else SubmissionKind.PREDICTIONS
        digest = digest_text(source)
        if method:
            rows[methods].append({"digest": digest, "source": source})
            rows[jobs].append(_job(paper, name))
        owner = {"campaign": paper.campaign, "actor": actor}
        rows[submissions].append(owner | _submission(paper, name, kind, digest))
        rows[predictions].append(_predictions(name))
        rows[scores].append({"submission": name, "tier": Tier.PUBLIC, "body": _body(name)})
        for event in ("submission_accepted", "score_recorded"):
            seq += 1
            entry = _entry(paper, actor, event, name, (seq, chain))
            chain = digest_json(entry)
            rows[ledger].append({**entry, "hash": chain})
    for table in tables:
        connection.execute(insert(table), rows[table])


def _submission(paper: Paper, name: str, kind: SubmissionKind, digest: str) -> dict[str, Any]:
    return {
        "id": name,
        "kind": kind,
        "content": digest,
        "method_digest": digest if kind is SubmissionKind.METHOD else None,
        "card": card_body(),
        "builds_on": [],
        "status": JobStatus.DONE,
        "created": paper.now,
        "finished": paper.now,
    }


def _job(paper: Paper, name: str) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(6),
        "campaign": paper.campaign,
        "submission": name,
        "tier": Tier.PUBLIC,
        "seed_index": 0,
        "status": JobStatus.DONE,
        "attempts": 0,
        "queued": paper.now,
        "log": "",
    }


def _predictions(name: str) -> dict[str, Any]:
    return {
        "submission": name,
        "tier": Tier.PUBLIC,
        "seed_index": 0,
        "ids_digest": "0" * 64,
        "probs": bytes(8 * ITEMS),
        "recipe": Recipe().as_dict(),
    }


def _body(name: str) -> dict[str, Any]:
    pgr = {"mean": 0.5, "interval": [0.4, 0.6], "method": "delta"}
    return {"submission": name, "part": "public", "pgr": pgr, "accuracy": [0.7] * EXACT.seeds}


def _entry(
    paper: Paper, actor: str, kind: str, name: str, place: tuple[int, str]
) -> dict[str, Any]:
    return {
        "seq": place[0],
        "time": paper.now,
        "campaign": paper.campaign,
        "actor": actor,
        "kind": kind,
        "payload": canonical({"submission": name}),
        "previous": place[1],
    }
