"""What builds on what: the newest submissions of a campaign, and the findings that cite them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from aar_host.store.database import Store
from aar_host.store.schema import actors, findings, submissions
from aar_lab.types import JobStatus


@dataclass(frozen=True)
class Node:
    """A submission in the graph, with what it builds on."""

    id: str
    author: str
    card: Mapping[str, str]
    status: JobStatus
    builds_on: Sequence[str]
    created: float


def newest_nodes(store: Store, campaign: str, limit: int) -> list[Node]:
    """The newest submissions, at most `limit`, oldest first."""
    columns = (c for c in submissions.c if c.name in Node.__dataclass_fields__)
    query = (
        select(*columns, actors.c.name.label("author"))
        .join(actors, actors.c.id == submissions.c.actor)
        .where(submissions.c.campaign == campaign)
        .order_by(submissions.c.created.desc(), submissions.c.id.desc())
        .limit(limit)
    )
    with store.reading() as connection:
        return [Node(**row._mapping) for row in connection.execute(query)][::-1]


def newest_citations(store: Store, campaign: str, limit: int) -> dict[str, Sequence[str]]:
    """Finding → the submissions that it cites, for the newest findings, oldest first."""
    query = (
        select(findings.c.id, findings.c.cites)
        .where(findings.c.campaign == campaign)
        .order_by(findings.c.seq.desc())
        .limit(limit)
    )
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return {row.id: row.cites for row in reversed(rows)}
