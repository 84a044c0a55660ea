"""Findings: what researchers tell each other, with an author that the server set, in threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from aar_host.store.campaigns import Campaign, find_campaign
from aar_host.store.database import Store, new_id
from aar_host.store.ledger import Event, append
from aar_host.store.schema import actors, findings
from aar_host.store.submissions import check_known, sharing
from aar_lab.digest import digest_json, digest_text
from aar_lab.errors import BadInput, OverBudget
from aar_lab.types import FindingKind

MAX_BODY = 4000
MAX_FINDINGS = 500


@dataclass(frozen=True)
class Note:
    """What an author writes.

    Args:
        kind: what it says.
        body: 1…MAX_BODY characters.
        cites: submissions that it is about.
        parent: the finding that it replies to, if it does.
    """

    kind: FindingKind
    body: str
    cites: tuple[str, ...] = ()
    parent: str | None = None

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
    parent: str | None
    created: float


def add_finding(store: Store, campaign: str, actor: str, note: Note) -> str:
    """Post a finding; posting the very same again changes nothing, so that a retry is safe.

    Returns:
        The id of the finding, or of the earlier one of this actor that says exactly the same.

    Raises:
        BadInput: it cites, or replies to, what the campaign does not have.
        OverBudget: the actor has posted MAX_FINDINGS in this campaign.
    """
    finding, now, content = new_id(), store.clock(), digest_json(asdict(note))
    with store.writing() as connection:
        mine = select(findings.c.id).where(findings.c.actor == actor)
        earlier = connection.scalar(mine.where(findings.c.content == content))
        if earlier is not None:
            return str(earlier)
        plan = find_campaign(connection, campaign)
        check_known(connection, plan, actor, note.cites)
        _check_parent(connection, plan, actor, note.parent)
        _check_quota(connection, actor)
        written = asdict(note) | {"cites": list(note.cites)}
        payload = {"finding": finding, **written, "body": digest_text(note.body)}
        seq = append(connection, now, Event(campaign, "finding_posted", payload, actor))
        row = {"id": finding, "campaign": campaign, "actor": actor, "seq": seq, **written}
        connection.execute(insert(findings).values(**row, content=content, created=now))
    return finding


def list_findings(store: Store, campaign: str, since: int = 0) -> list[Finding]:
    """The findings of a campaign with `seq` above `since`, oldest first."""
    with store.reading() as connection:
        return select_findings(connection, campaign, since)


def select_findings(
    connection: Connection, campaign: str, since: int = 0, limit: int | None = None
) -> list[Finding]:
    """As `list_findings` within a transaction, at most `limit` of them."""
    query = _query().where(findings.c.campaign == campaign, findings.c.seq > since)
    rows = connection.execute(query.order_by(findings.c.seq).limit(limit))
    return [Finding(**row._mapping) for row in rows]


def roots_of(connection: Connection, found: Sequence[Finding]) -> dict[str, str]:
    """For each finding the first one of its thread: itself where it replies to none."""
    replies = [one.id for one in found if one.parent is not None]
    above: dict[str, str | None] = {one.id: one.parent for one in found}
    if replies:
        up = select(findings.c.id, findings.c.parent).where(findings.c.id.in_(replies))
        line = up.cte("line", recursive=True)
        parents = select(findings.c.id, findings.c.parent).join(
            line, line.c.parent == findings.c.id
        )
        # UNION without ALL: a thread that many findings share is climbed once.
        for row in connection.execute(select(line.union(parents))):
            above[row.id] = row.parent
    return {one.id: _root(one.id, above) for one in found}


def _root(finding: str, above: dict[str, str | None]) -> str:
    """Follow parents to the top, and shorten the way for whoever comes next."""
    way, here = [finding], above[finding]
    while here is not None:
        way.append(here)
        here = above[here]
    for passed in way[:-1]:
        above[passed] = way[-1]
    return way[-1]


def _query() -> Select[Any]:
    columns = (c for c in findings.c if c.name not in ("campaign", "actor", "content"))
    return select(*columns, actors.c.name.label("author")).join(
        actors, actors.c.id == findings.c.actor
    )


def _check_parent(
    connection: Connection, campaign: Campaign, actor: str, parent: str | None
) -> None:
    query = select(findings.c.id).where(findings.c.id == parent, findings.c.campaign == campaign.id)
    if not sharing(campaign):
        query = query.where(findings.c.actor == actor)
    if parent is not None and connection.scalar(query) is None:
        raise BadInput(
            parent, "this campaign has no such finding", "See `lab findings` for ids to reply to."
        )


def _check_quota(connection: Connection, actor: str) -> None:
    query = select(func.count()).select_from(findings).where(findings.c.actor == actor)
    if connection.scalars(query).one() >= MAX_FINDINGS:
        raise OverBudget(
            f"{MAX_FINDINGS} findings", "nobody posts more in one campaign", "Vote, or read."
        )
