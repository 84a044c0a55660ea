"""Flags of a campaign: raised by rules over what its store holds, each recorded once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import select

from aar_host.looking import repeating
from aar_host.monitors.asking import Ask
from aar_host.monitors.judge import judge, transcript_of
from aar_host.monitors.rules import RULES, Flag, Record, Rule, flags
from aar_host.store import Store
from aar_host.store.findings import list_findings
from aar_host.store.ledger import Event, append, events
from aar_host.store.schema import actors, methods, submissions
from aar_host.store.submissions import list_submissions
from aar_lab.errors import LabError

RAISED = "flag_raised"
JUDGED = "researcher_judged"
POLL_SECONDS = 5.0
MAX_EACH = 20  # flags of one rule about one researcher: more say nothing new, and fill the ledger


class Flagger:
    """Looks at a campaign now and then; one thread works with it.

    Args:
        rules: that it goes by.
    """

    def __init__(self, store: Store, campaign: str, rules: Iterable[Rule] = RULES) -> None:
        self._store, self._campaign, self._rules = store, campaign, tuple(rules)
        self._seen = 0
        self._told: set[tuple[str, ...]] = set()

    def tick(self) -> list[Flag]:
        """Record what the rules find and nobody has recorded; returns it."""
        fresh = events(self._store, self._campaign, self._seen)
        if not fresh:
            return []
        self._seen = fresh[-1].seq
        self._told |= {_key(e.payload) for e in fresh if e.kind == RAISED}
        return self.raise_flags(flags(read_record(self._store, self._campaign, fresh), self._rules))

    def raise_flags(self, found: Iterable[Flag]) -> list[Flag]:
        """Record those that are new; returns them."""
        new: dict[tuple[str, ...], Flag] = {}
        for flag in found:
            key, told = _key(flag.as_dict()), [*self._told, *new]
            few = sum(one[:2] == key[:2] for one in told) < MAX_EACH
            if key not in told and few:
                new[key] = flag
        if not new:
            return []
        with self._store.writing() as connection:
            for flag in new.values():
                event = Event(self._campaign, RAISED, flag.as_dict())
                append(connection, self._store.clock(), event)
        self._told |= new.keys()
        return list(new.values())


def read_record(store: Store, campaign: str, found: list[Event]) -> Record:
    """What rules read of a campaign, with these of its events."""
    names = select(actors.c.id, actors.c.name).where(actors.c.campaign == campaign)
    texts = (
        select(methods)
        .join(submissions, submissions.c.method_digest == methods.c.digest)
        .where(submissions.c.campaign == campaign)
    )
    with store.reading() as connection:
        named = {row.id: row.name for row in connection.execute(names)}
        sources = {row.digest: row.source for row in connection.execute(texts)}
    notes, made = list_findings(store, campaign), list_submissions(store, campaign)
    return Record(found, named, notes, made, sources)


def judge_all(
    store: Store,
    campaign: str,
    ask: Ask,
    closed: bool,
    stop: Callable[[], bool] = lambda: False,
) -> list[Flag]:
    """Let a model read what each researcher has done, and record what it and the rules find.

    Each is judged once, also where this is broken off and called again.

    Args:
        closed: as of `judge`.
        stop: whether to leave out those who are not judged yet.
    """
    flagger, found = Flagger(store, campaign), events(store, campaign)
    flagger.tick()
    names = read_record(store, campaign, found).names
    done = {event.payload["researcher"] for event in found if event.kind == JUDGED}
    judged: list[Flag] = []
    for name in sorted(set(names.values()) - done):
        if stop():
            break
        text = transcript_of(found, names, name)
        judged += flagger.raise_flags(judge(ask, name, text, closed))
        with store.writing() as connection:
            append(connection, store.clock(), Event(campaign, JUDGED, {"researcher": name}))
    return judged


def raised(found: Iterable[Event]) -> list[dict[str, str]]:
    """The flags among events, as JSON."""
    return [dict(event.payload) for event in found if event.kind == RAISED]


def _key(flag: Mapping[str, str]) -> tuple[str, ...]:
    return (flag["rule"], flag["researcher"], flag["place"])


@contextmanager
def flagging(flagger: Flagger) -> Iterator[None]:
    """Let it look from a thread while the context lasts, and once at its end."""

    def look() -> None:
        try:
            flagger.tick()
        except LabError as error:
            # A busy database must not end the watch: the next look sees the same.
            _log.warning("flags are behind: %s", error)

    with repeating(look, POLL_SECONDS, "flags"):
        yield


_log = logging.getLogger(__name__)
