"""What the ledger proves of the rows beside it: that each is as it was when it was written.

Nothing here writes. Rows that somebody changed may be of any form, so every comparison is by
digest, and what cannot be read is a fault like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Row, func, select

from aar_host.store.campaigns import find_campaign
from aar_host.store.database import Store
from aar_host.store.evidence import Check, Evidence, checked, compare, differences, only
from aar_host.store.ledger import Event, verify_chain
from aar_host.store.reviews import reviews_proof
from aar_host.store.schema import (
    SubmissionKind,
    Tier,
    actors,
    findings,
    jobs,
    metadata,
    methods,
    predictions,
    scores,
    submissions,
)
from aar_host.store.submissions import UNFINISHED
from aar_lab.digest import digest_bytes, digest_json, digest_text
from aar_lab.types import JobStatus

Proof = Callable[[Evidence], tuple[str, list[str]]]


def prove(store: Store, campaign: str) -> list[Check]:
    """All checks of a campaign's rows, in one snapshot; `UnknownName` if there is no such one."""
    with store.reading() as connection:
        find_campaign(connection, campaign)
        evidence = Evidence(connection, campaign)
        return [checked(name, partial(proof, evidence)) for name, proof in PROOFS]


def _chain(evidence: Evidence) -> tuple[str, list[str]]:
    count, last = verify_chain(evidence.connection)
    return f"{count} entries; the last hash is {last}", []


def _references(evidence: Evidence) -> tuple[str, list[str]]:
    faults, count = [], 0
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            count += 1
            other = key.column.table.alias()
            found = other.c[key.column.name]
            query = (
                select(func.count())
                .select_from(table.outerjoin(other, found == key.parent))
                .where(key.parent.is_not(None), found.is_(None))
            )
            if astray := evidence.connection.execute(query).scalar_one():
                faults.append(f"{astray} rows of {table.name} refer to no {key.column.table.name}")
    return f"{count} kinds of reference", faults


def _campaign(evidence: Evidence) -> tuple[str, list[str]]:
    found = find_campaign(evidence.connection, evidence.campaign)
    plan = evidence.of("campaign_created")[0].payload
    states = [entry.payload.get("to") for entry in evidence.of("state_changed")]
    charged = len(_charged(evidence))
    told = {**plan, "state": (states or ["open"])[-1], "charged": charged}
    stored = {name: getattr(found, name) for name in told}
    counted = f"{found.state}, {charged} submissions charged"
    return counted, differences("campaign", told, stored)


def _charged(evidence: Evidence) -> list[Event]:
    return evidence.of("submission_accepted") + evidence.of("submission_refused")


def _actors(evidence: Evidence) -> tuple[str, list[str]]:
    rows = {row.id: {"name": row.name, "role": row.role} for row in evidence.rows(actors)}
    told = {
        entry.actor: {"name": entry.payload.get("name"), "role": entry.payload.get("role")}
        for entry in evidence.of("token_issued")
    }
    return f"{len(rows)} actors", compare("actor", told, rows)


def _submissions(evidence: Evidence) -> tuple[str, list[str]]:
    rows = evidence.rows(submissions)
    entries = _charged(evidence)
    told = {entry.payload.get("submission"): _accepted(entry) for entry in entries}
    stored = {row.id: _handed_in(row) for row in rows}
    faults = compare("submission", told, stored)
    if len(told) < len(entries):
        faults.append(f"{len(entries) - len(told)} submissions were charged twice")
    faults += [
        f"submission {row.id}: its content is not what its digest names"
        for row in rows
        if CONTENTS[row.kind](evidence, row) != row.content
    ]
    return f"{len(rows)} submissions", faults


def _accepted(entry: Event) -> dict[str, Any]:
    told = entry.payload
    content = told.get("content", told.get("method"))
    more = {"actor": entry.actor, "time": entry.time, "builds_on": told.get("builds_on")}
    more["answers_as"] = told.get("answers_as")
    return {"content": content, "card": told.get("card"), **more}


def _handed_in(row: Row[Any]) -> dict[str, Any]:
    more = {"actor": row.actor, "time": row.created, "builds_on": row.builds_on}
    more["answers_as"] = row.answers_as
    return {"content": row.content, "card": digest_json(row.card), **more}


def _source(evidence: Evidence, row: Row[Any]) -> str | None:
    query = select(methods.c.source).where(methods.c.digest == row.method_digest)
    source: str | None = evidence.connection.execute(query).scalar_one_or_none()
    return None if source is None else digest_text(source)


def _answers(evidence: Evidence, row: Row[Any]) -> str | None:
    if row.status is JobStatus.BAD_OUTPUT:
        return ""  # nothing that could be read was handed in
    query = select(predictions).where(predictions.c.submission == row.id)
    parts = {
        str(part.tier): [part.ids_digest, digest_bytes(part.probs)]
        for part in evidence.connection.execute(query)
    }
    return digest_json(parts)


# What was handed in → its digest, made anew from the rows that hold it.
CONTENTS: Mapping[SubmissionKind, Callable[[Evidence, Row[Any]], str | None]] = {
    SubmissionKind.METHOD: _source,
    SubmissionKind.PREDICTIONS: _answers,
}


def _statuses(evidence: Evidence) -> tuple[str, list[str]]:
    told: dict[str, str | None] = {}
    for entry in evidence.entries:
        name = str(entry.payload.get("submission"))
        if entry.kind in ("submission_accepted", "submission_reopened"):
            told[name] = None
        elif entry.kind == "submission_refused":
            told[name] = JobStatus.BAD_OUTPUT
        elif entry.kind == "submission_failed":
            told[name] = entry.payload.get("status")
        elif entry.kind == "score_recorded" and entry.payload.get("tier") == Tier.PUBLIC:
            told[name] = JobStatus.DONE
    rows = evidence.rows(submissions)
    faults = [
        f"submission {row.id} is {row.status}, its entries say {told.get(row.id) or 'unfinished'}"
        for row in rows
        if (row.status if row.status not in UNFINISHED else None) != told.get(row.id)
    ]
    return f"{len(rows)} statuses", faults


def _jobs(evidence: Evidence) -> tuple[str, list[str]]:
    entries = evidence.of("job_finished")
    told = {entry.payload.get("job"): entry.payload.get("status") for entry in entries}
    rows = evidence.rows(jobs)
    faults = [
        f"job {row.id} is {row.status}, its entry says {told.get(row.id) or 'nothing'}"
        for row in rows
        if told.get(row.id) != row.status and (row.id in told or row.status is JobStatus.DONE)
    ]
    faults += [f"job {name} is missing" for name in told.keys() - {row.id for row in rows}]
    return f"{len(rows)} jobs, {len(entries)} finished", faults


def _predictions(evidence: Evidence) -> tuple[str, list[str]]:
    told = {
        (e.payload.get("submission"), e.payload.get("tier"), e.payload.get("seed")): e.payload
        for e in evidence.of("job_finished")
        if e.payload.get("status") == JobStatus.DONE
    }
    for entry in evidence.of("submission_accepted"):
        for tier, digest in entry.payload.get("predictions", {}).items():
            told[entry.payload.get("submission"), tier, 0] = {"predictions": digest}
    stored: dict[Any, dict[str, Any]] = {
        (row.submission, str(row.tier), row.seed_index): {
            "predictions": digest_bytes(row.probs),
            "recipe": digest_json(row.recipe),
        }
        for row in evidence.rows(predictions)
    }
    # Entries of predictions that were handed in, and of earlier versions, do not bind the recipe.
    wanted: dict[Any, dict[str, Any]] = {
        key: {"recipe": stored.get(key, {}).get("recipe")} | only(body, ("predictions", "recipe"))
        for key, body in told.items()
    }
    return f"{len(stored)} sets of predictions", compare("predictions of", wanted, stored)


def _scores(evidence: Evidence) -> tuple[str, list[str]]:
    told = {
        (e.payload.get("submission"), e.payload.get("tier")): {"score": e.payload.get("score")}
        for e in evidence.of("score_recorded")
    }
    stored = {
        (row.submission, str(row.tier)): {"score": digest_json(row.body)}
        for row in evidence.rows(scores)
    }
    return f"{len(stored)} scores", compare("score of", told, stored)


def _findings(evidence: Evidence) -> tuple[str, list[str]]:
    told = {
        e.payload.get("finding"): {
            **only(e.payload, ("body", "kind", "cites")),
            "actor": e.actor,
            "seq": e.seq,
        }
        for e in evidence.of("finding_posted")
    }
    stored = {
        row.id: {
            "body": digest_text(row.body),
            "kind": str(row.kind),
            "cites": row.cites,
            "actor": row.actor,
            "seq": row.seq,
        }
        for row in evidence.rows(findings)
    }
    return f"{len(stored)} findings", compare("finding", told, stored)


PROOFS: tuple[tuple[str, Proof], ...] = (
    ("hash chain", _chain),
    ("references", _references),
    ("campaign", _campaign),
    ("actors", _actors),
    ("submissions", _submissions),
    ("statuses", _statuses),
    ("jobs", _jobs),
    ("predictions", _predictions),
    ("scores", _scores),
    ("findings", _findings),
    ("reviews", reviews_proof),
)
