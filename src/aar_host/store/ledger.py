"""The append-only ledger: every event that matters, each chained to the one before by its hash."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from aar_host.store.database import Store
from aar_host.store.schema import ledger
from aar_lab.digest import canonical, digest_json
from aar_lab.errors import Corrupt

GENESIS = "0" * 64


@dataclass(frozen=True)
class Event:
    """Something that happened. `seq` counts from 1 without a gap; `actor` is None for the host."""

    campaign: str
    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    actor: str | None = None
    seq: int = 0
    time: float = 0.0


def append(connection: Connection, time: float, event: Event) -> int:
    """Write the event within the caller's writing transaction; return its sequence number."""
    last = connection.execute(
        select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)
    ).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    row = {
        "seq": seq,
        "time": time,
        "campaign": event.campaign,
        "actor": event.actor,
        "kind": event.kind,
        "payload": canonical(event.payload),
        "previous": previous,
    }
    connection.execute(insert(ledger).values(**row, hash=digest_json(row)))
    return seq


def events(store: Store, campaign: str, since: int = 0) -> list[Event]:
    """The events of a campaign with a sequence number above `since`, oldest first."""
    query = select(ledger).where(ledger.c.campaign == campaign, ledger.c.seq > since)
    with store.reading() as connection:
        return [_event(row) for row in connection.execute(query.order_by(ledger.c.seq))]


def newest(store: Store, campaign: str, without: Collection[str] = ()) -> int:
    """The sequence number of a campaign's newest event, of kinds not in `without`; 0 if none."""
    query = select(ledger.c.seq).where(
        ledger.c.campaign == campaign, ledger.c.kind.not_in(list(without))
    )
    with store.reading() as connection:
        return connection.scalar(query.order_by(ledger.c.seq.desc()).limit(1)) or 0


def verify_ledger(store: Store) -> None:
    """Recompute the whole chain; `Corrupt` names the first entry that does not fit.

    A chain cannot notice that its newest entries were cut off: keep the last hash elsewhere.
    """
    with store.reading() as connection:
        verify_chain(connection)


def verify_chain(connection: Connection) -> tuple[int, str]:
    """As `verify_ledger`, within a transaction; returns the number of entries and the last hash."""
    expected, previous = 1, GENESIS
    for row in connection.execute(select(ledger).order_by(ledger.c.seq)):
        body = {name: value for name, value in row._mapping.items() if name != "hash"}
        if row.seq != expected or row.previous != previous or row.hash != digest_json(body):
            raise Corrupt(
                f"ledger entry {expected}",
                "it is missing or was changed after it was written",
                "Restore the database from a backup; trust no result after this entry.",
            )
        expected, previous = row.seq + 1, row.hash
    return expected - 1, previous


def _event(row: Row[Any]) -> Event:
    payload = json.loads(row.payload)
    return Event(row.campaign, row.kind, payload, row.actor, row.seq, row.time)
