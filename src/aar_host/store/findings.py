"""Findings: what researchers tell each other, with an author that the server set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from aar_host.store.database import Store, new_id
from aar_host.store.ledger import Event, append
from aar_host.store.schema import actors, findings
from aar_host.store.submissions import check_known
from aar_lab.digest import digest_text
from aar_lab.errors import BadInput
from aar_lab.types import FindingKind

MAX_BODY = 4000


@dataclass(frozen=True)
class Note:
    """What an author writes: a body of 1…MAX_BODY characters and the submissions it cites."""

    kind: FindingKind
    body: str
    cites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.body.strip() or len(self.body) > MAX_BODY:
            raise BadInput(
                f"{len(self.body)} characters", f"a finding has 1…{MAX_BODY}", "Rewrite it."
            )


@dataclass(frozen=True)
class Finding:
    """A finding as stored; `seq` is its place in the ledger and grows with time."""

    id: str
    seq: int
    author: str
    kind: FindingKind
    body: str
    cites: Sequence[str]
    created: float


def add_finding(store: Store, campaign: str, actor: str, note: Note) -> str:
    """Post a finding; return its id. `BadInput` if it cites what the campaign does not have."""
    finding, now = new_id(), store.clock()
    with store.writing() as connection:
        check_known(connection, campaign, note.cites)
        cites = list(note.cites)
        payload = {
            "finding": finding,
            "kind": note.kind,
            "body": digest_text(note.body),
            "cites": cites,
        }
        seq = append(connection, now, Event(campaign, "finding_posted", payload, actor))
        connection.execute(
            insert(findings).values(
                id=finding,
                campaign=campaign,
                actor=actor,
                seq=seq,
                kind=note.kind,
                body=note.body,
                cites=cites,
                created=now,
            )
        )
    return finding


def list_findings(store: Store, campaign: str, since: int = 0) -> list[Finding]:
    """The findings of a campaign with `seq` above `since`, oldest first."""
    columns = (c for c in findings.c if c.name not in ("campaign", "actor", "parent", "content"))
    query = (
        select(*columns, actors.c.name.label("author"))
        .join(actors, actors.c.id == findings.c.actor)
        .where(findings.c.campaign == campaign, findings.c.seq > since)
        .order_by(findings.c.seq)
    )
    with store.reading() as connection:
        return [Finding(**row._mapping) for row in connection.execute(query)]
