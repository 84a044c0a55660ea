"""What checks of a campaign's records look at, and how they tell what they found."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from aar_host.store.ledger import Event
from aar_host.store.schema import ledger, submissions
from aar_lab.errors import LabError

SHOWN = 5
REMEDY = "Restore the campaign from a backup; trust no number that rests on this."


@dataclass(frozen=True)
class Check:
    """One thing that was proven or not; `remedy` is empty where nothing is to be done."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


class Evidence:
    """The ledger entries and the rows of one campaign, as one transaction sees them."""

    def __init__(self, connection: Connection, campaign: str) -> None:
        self.connection, self.campaign = connection, campaign
        query = select(ledger).where(ledger.c.campaign == campaign).order_by(ledger.c.seq)
        self.entries = [_entry(row) for row in connection.execute(query)]

    def of(self, kind: str) -> list[Event]:
        """The entries of a kind, oldest first."""
        return [entry for entry in self.entries if entry.kind == kind]

    def rows(self, table: Table) -> Sequence[Row[Any]]:
        """The rows of a table that has a campaign, or belongs to a submission of one."""
        query = select(table)
        if "campaign" not in table.c:
            query = query.join(submissions, submissions.c.id == table.c.submission)
            query = query.where(submissions.c.campaign == self.campaign)
        else:
            query = query.where(table.c.campaign == self.campaign)
        return self.connection.execute(query).all()


def checked(name: str, proof: Callable[[], tuple[str, list[str]]]) -> Check:
    """Run a proof, which gives what it counted and the faults it found."""
    try:
        counted, faults = proof()
    except LabError as error:
        return Check(name, False, f"{error.value}: {error.fault}", error.remedy)
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        return Check(name, False, f"it cannot be read: {error!r}", REMEDY)
    if not faults:
        return Check(name, True, counted)
    more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return Check(name, False, "; ".join(faults[:SHOWN]) + more, REMEDY)


def _entry(row: Row[Any]) -> Event:
    try:
        payload = json.loads(row.payload)
    except ValueError:
        payload = {}
    known = payload if isinstance(payload, dict) else {}
    return Event(row.campaign, row.kind, known, row.actor, row.seq, row.time)


def compare(
    what: str,
    told: Mapping[Any, Mapping[str, Any]],
    stored: Mapping[Any, Mapping[str, Any]],
) -> list[str]:
    """Faults where entries and rows do not pair off, or say different things."""
    faults = [f"{what} {_name(key)} has no row" for key in told if key not in stored]
    faults += [f"{what} {_name(key)} has no ledger entry" for key in stored if key not in told]
    for key in told:
        if key in stored:
            faults += differences(f"{what} {_name(key)}", told[key], stored[key])
    return faults


def _name(key: Hashable) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def differences(what: str, told: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """One fault for each name in `told` that `stored` gives another value."""
    return [f"{what}: its {name} is not that of its entry" for name in _differing(told, stored)]


def _differing(told: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[str]:
    return (name for name, value in told.items() if stored.get(name) != value)


def only(body: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the names that the body has, with their values."""
    return {name: body[name] for name in names if name in body}
