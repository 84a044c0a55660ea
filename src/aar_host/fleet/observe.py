"""A campaign seen by somebody who only reads its store, from whatever process."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select

from aar_host.feedback import Policy, answer, get_policy
from aar_host.fleet.costs import searched
from aar_host.monitors.flagging import RAISED
from aar_host.store import Store
from aar_host.store.campaigns import get_campaign
from aar_host.store.jobs import count_jobs
from aar_host.store.ledger import Event, events
from aar_host.store.reviews import list_reviews, unreviewed
from aar_host.store.schema import CallStatus, actors, model_calls
from aar_host.store.scores import leaderboard
from aar_host.store.submissions import list_submissions
from aar_lab.types import RESEARCHERS

OUTSIDE, KEPT = "outside", 5
NOTEWORTHY = ("title", "reason", "fault", "error")


@dataclass(frozen=True)
class SeatView:
    """How one researcher stands.

    Args:
        best: its highest public PGR.
        marks: resource → the highest share of its budget whose passing was told.
        troubles: sessions of it that came to nothing.
    """

    name: str
    driver: str = OUTSIDE
    state: str = ""
    action: str = ""
    submissions: int = 0
    best: float | None = None
    dollars: float = 0.0
    tokens: float = 0.0
    marks: Mapping[str, float] = field(default_factory=dict)
    troubles: int = 0


@dataclass(frozen=True)
class View:
    """How a campaign stands.

    Args:
        ran: seconds of search that were served, of `seconds`.
        dollars: for models, of all that ask one.
        marks: as of `SeatView`, of the pool.
        reviews: number of methods by verdict, and those that wait.
        notes: the newest troubles and flags, oldest first.
        seq: the newest event that is in it.
    """

    campaign: str
    problem: str
    state: str
    ran: float
    seconds: float | None
    dollars: float
    submissions: int
    researchers: tuple[SeatView, ...]
    jobs: Mapping[str, int]
    marks: Mapping[str, float]
    reviews: Mapping[str, int]
    flags: int
    notes: tuple[str, ...]
    seq: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        seats = [vars(seat) | {"marks": dict(seat.marks)} for seat in self.researchers]
        return {**vars(self), "researchers": seats, "notes": list(self.notes)}


class Observer:
    """Follows a campaign; one thread works with it.

    Args:
        drivers: name of each researcher of the fleet → what drives it.
    """

    def __init__(self, store: Store, campaign: str, drivers: Mapping[str, str]) -> None:
        self._store, self._campaign = store, campaign
        self._seats = {name: SeatView(name, driver) for name, driver in drivers.items()}
        self._pool: dict[str, float] = {}
        self._notes: deque[str] = deque(maxlen=KEPT)
        self._names: dict[str, str] = {}
        self._flags = self._seq = 0

    def look(self) -> tuple[View, list[dict[str, Any]]]:
        """How it stands, and the events since the look before, as JSON, oldest first."""
        spent = self._spending()
        fresh = events(self._store, self._campaign, self._seq)
        for event in fresh:
            self._take(event)
            self._seq = event.seq
        told = [
            {"seq": e.seq, "time": e.time, "kind": e.kind, "by": self._by(e), "payload": e.payload}
            for e in fresh
        ]
        return self._view(spent), told

    def _view(self, spent: Mapping[str, tuple[float, float]]) -> View:
        campaign = get_campaign(self._store, self._campaign)
        made = Counter(one.author for one in list_submissions(self._store, self._campaign))
        best = self._best(get_policy(campaign.policy))
        seats = tuple(
            replace(
                seat,
                submissions=made[name],
                best=best.get(name),
                dollars=spent.get(name, (0.0, 0.0))[0],
                tokens=spent.get(name, (0.0, 0.0))[1],
            )
            for name, seat in self._seats.items()
        )
        return View(
            campaign=campaign.id,
            problem=campaign.problem,
            state=campaign.state.value,
            ran=searched(campaign),
            seconds=campaign.config.get("seconds"),
            dollars=sum(dollars for dollars, _ in spent.values()),
            submissions=made.total(),
            researchers=seats,
            jobs={str(status): n for status, n in count_jobs(self._store, self._campaign).items()},
            marks=dict(self._pool),
            reviews=self._reviews(bool(campaign.config.get("review"))),
            flags=self._flags,
            notes=tuple(self._notes),
            seq=self._seq,
        )

    def _best(self, policy: Policy) -> dict[str, float]:
        """Name → highest public PGR."""
        found: dict[str, float] = {}
        for entry in leaderboard(self._store, self._campaign):
            pgr = answer(policy, entry.body)["pgr"]
            if pgr is not None:
                found[entry.author] = max(pgr, found.get(entry.author, pgr))
        return found

    def _reviews(self, asked: bool) -> dict[str, int]:
        found = Counter(r.verdict.value for r in list_reviews(self._store, self._campaign))
        if asked:
            found["waiting"] = len(unreviewed(self._store, self._campaign))
        return dict(found)

    def _spending(self) -> dict[str, tuple[float, float]]:
        """Name → dollars and tokens of its calls that have ended; learns who there is."""
        calls = model_calls.c
        sums = (
            select(calls.actor, func.sum(calls.dollars), func.sum(calls.tokens))
            .where(calls.campaign == self._campaign, calls.status != CallStatus.OPEN)
            .group_by(calls.actor)
        )
        query = select(actors).where(actors.c.campaign == self._campaign).order_by(actors.c.name)
        with self._store.reading() as connection:
            for row in connection.execute(query):
                self._names[row.id] = row.name
                if row.role in RESEARCHERS:
                    self._seats.setdefault(row.name, SeatView(row.name))
            found = connection.execute(sums).all()
        return {self._names[actor]: (float(paid), float(used)) for actor, paid, used in found}

    def _by(self, event: Event) -> str | None:
        return event.payload.get("researcher") or self._names.get(event.actor or "")

    def _take(self, event: Event) -> None:
        payload, name = event.payload, self._by(event)
        if event.kind == "budget_warning":
            self._mark(payload)
        if event.kind == RAISED:
            self._flags += 1
            self._notes.append(f"{name}: {payload['rule']}: {payload['evidence']}")
        if name is None or name not in self._seats:
            return
        seat = self._seats[name]
        match event.kind:
            case "researcher_event":
                self._seats[name] = self._reported(seat, payload["state"], payload["facts"])
            case "tool_call":
                words = f"{payload.get('tool', '')} {payload.get('arguments', '')}"
                self._seats[name] = replace(seat, action=words)
            case "submission_accepted":
                self._seats[name] = replace(seat, action=f"handed in {payload['submission']}")
            case "finding_posted":
                self._seats[name] = replace(seat, action=f"posted a finding: {payload['kind']}")

    def _reported(self, seat: SeatView, state: str, facts: Mapping[str, Any]) -> SeatView:
        words: Sequence[str] = [str(facts[key]) for key in NOTEWORTHY if facts.get(key)]
        driver = str(facts.get("driver") or seat.driver)
        found = replace(seat, state=state, driver=driver, action=words[0] if words else seat.action)
        if "fault" not in facts:
            return found
        self._notes.append(f"{seat.name}: {state}: {facts['fault']} {facts.get('remedy', '')}")
        return replace(found, troubles=seat.troubles + 1)

    def _mark(self, payload: Mapping[str, Any]) -> None:
        name, resource, share = payload["researcher"], payload["resource"], payload["share"]
        if name is None:
            self._pool[resource] = max(share, self._pool.get(resource, 0.0))
        elif name in self._seats:
            seat = self._seats[name]
            marks = {**seat.marks, resource: max(share, seat.marks.get(resource, 0.0))}
            self._seats[name] = replace(seat, marks=marks)
