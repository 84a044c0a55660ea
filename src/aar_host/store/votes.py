"""Votes on findings, and the page of the forum that a reader has not seen yet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, insert, select, update

from aar_host.store.campaigns import find_campaign
from aar_host.store.database import Store
from aar_host.store.findings import Finding, roots_of, select_findings
from aar_host.store.ledger import Event, append
from aar_host.store.schema import findings, ledger, votes
from aar_host.store.submissions import sharing
from aar_lab.errors import BadInput, Conflict, OverBudget, UnknownName

VOTED = "finding_voted"
MAX_CHANGES = 10


@dataclass(frozen=True)
class Tally:
    """How many found a finding useful, and how many did not."""

    up: int = 0
    down: int = 0

    def as_dict(self) -> dict[str, int]:
        """As JSON, with the difference as `sum`."""
        return {"sum": self.up - self.down, "up": self.up, "down": self.down}


@dataclass(frozen=True)
class Page:
    """What happened in the forum after some place in the ledger.

    Args:
        findings: posted since then, oldest first.
        roots: for each of them the first finding of its thread.
        tallies: votes on them and on `changed`.
        changed: earlier findings on which somebody voted since then, by place in the ledger.
        last: where the next page begins.
    """

    findings: list[Finding]
    roots: Mapping[str, str]
    tallies: Mapping[str, Tally]
    changed: Mapping[str, int]
    last: int


def vote(store: Store, campaign: str, actor: str, finding: str, value: int) -> Tally:
    """Say that a finding is useful (+1) or not (−1); one vote each, which may be changed.

    Returns:
        The votes on the finding now. Giving the same vote again changes nothing.

    Raises:
        BadInput: the value is another.
        UnknownName: the campaign has no such finding.
        Conflict: it is one's own.
        OverBudget: the actor has changed its mind MAX_CHANGES times about this finding.
    """
    if value not in (-1, 1):
        raise BadInput(f"{value!r:.80}", "a vote is +1 or −1", "Vote one of them.")
    with store.writing() as connection:
        found = connection.execute(
            select(findings.c.actor, findings.c.seq).where(
                findings.c.id == finding, findings.c.campaign == campaign
            )
        ).first()
        shown = found is not None and (
            found.actor == actor or sharing(find_campaign(connection, campaign))
        )
        if found is None or not shown:
            raise UnknownName(finding, "there is no such finding", "See `lab findings`.")
        if found.actor == actor:
            raise Conflict(finding, "it is your own finding", "Leave the vote to the others.")
        if _cast(connection, (finding, actor), value, found.seq):
            payload = {"finding": finding, "value": value}
            append(connection, store.clock(), Event(campaign, VOTED, payload, actor))
        return tallies(connection, [finding]).get(finding, Tally())


def read_page(store: Store, campaign: str, since: int, limit: int) -> Page:
    """The next `limit` findings and votes after a place in the ledger, or fewer at its end."""
    with store.reading() as connection:
        found = select_findings(connection, campaign, since, limit)
        until = found[-1].seq if len(found) == limit else None
        changed = _changed(connection, campaign, (since, until), limit)
        if len(changed) == limit:
            until = changed[-1][0]
            found = [one for one in found if one.seq <= until]
        new = {one.id for one in found}
        seqs = [since, *(one.seq for one in found), *(seq for seq, _ in changed)]
        earlier = {name: seq for seq, name in changed if name not in new}
        counted = tallies(connection, [*new, *earlier])
        return Page(found, roots_of(connection, found), counted, earlier, max(seqs))


def tallies(connection: Connection, names: Iterable[str]) -> dict[str, Tally]:
    """The votes on findings; those without any are left out."""
    up = func.sum(case((votes.c.value > 0, 1), else_=0))
    query = select(votes.c.finding, up, func.count()).where(votes.c.finding.in_(list(names)))
    rows = connection.execute(query.group_by(votes.c.finding))
    return {finding: Tally(ups, cast - ups) for finding, ups, cast in rows}


def _cast(connection: Connection, key: tuple[str, str], value: int, posted: int) -> bool:
    """Write the vote of `key` = (finding, actor); False if it stands so already."""
    finding, actor = key
    mine = (votes.c.finding == finding) & (votes.c.actor == actor)
    before = connection.scalar(select(votes.c.value).where(mine))
    if before == value:
        return False
    if before is None:
        connection.execute(insert(votes).values(finding=finding, actor=actor, value=value))
        return True
    _check_changes(connection, key, posted)
    connection.execute(update(votes).where(mine).values(value=value))
    return True


def _check_changes(connection: Connection, key: tuple[str, str], posted: int) -> None:
    """Every change is kept in the ledger for ever, so that nobody may fill it with them."""
    finding, actor = key
    mine = select(ledger.c.seq).where(
        ledger.c.seq > posted,
        ledger.c.kind == VOTED,
        ledger.c.actor == actor,
        ledger.c.payload.contains(finding, autoescape=True),
    )
    if len(connection.scalars(mine.limit(MAX_CHANGES + 1)).all()) > MAX_CHANGES:
        raise OverBudget(
            f"{MAX_CHANGES} changes", "nobody changes a vote more often", "Post what you think."
        )


def _changed(
    connection: Connection, campaign: str, window: tuple[int, int | None], limit: int
) -> list[tuple[int, str]]:
    """(place, finding) of the first votes in the window: above its start, up to its end."""
    since, until = window
    if since == 0:
        return []  # whoever begins gets all votes with the findings themselves
    query = select(ledger.c.seq, ledger.c.payload).where(
        ledger.c.campaign == campaign, ledger.c.seq > since, ledger.c.kind == VOTED
    )
    if until is not None:
        query = query.where(ledger.c.seq <= until)
    rows = connection.execute(query.order_by(ledger.c.seq).limit(limit))
    return [(row.seq, json.loads(row.payload)["finding"]) for row in rows]
