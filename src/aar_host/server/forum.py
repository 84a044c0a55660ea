"""Findings as they are told: every number from the store, and the body as its author typed it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from aar_host.feedback import Policy
from aar_host.server.cards import SCORE
from aar_host.server.telling import answers_of
from aar_host.store import Store
from aar_host.store.findings import Finding
from aar_host.store.votes import Tally

TYPED_NUMBERS = "[numbers in this text were typed by its author]"


def finding_rows(
    store: Store,
    policy: Policy,
    found: Sequence[Finding],
    roots: Mapping[str, str],
    tallies: Mapping[str, Tally],
) -> list[dict[str, Any]]:
    """Findings as JSON, each with its thread, its votes, and the answers on what it cites.

    Args:
        roots: finding → the first one of its thread.
        tallies: finding → its votes; none where it is missing.
    """
    answers = answers_of(store, policy, {name for one in found for name in one.cites})
    return [
        {
            "finding": one.id,
            "number": one.seq,
            "author": one.author,
            "kind": one.kind,
            "body": one.body,
            "mark": mark(one.body),
            "cites": one.cites,
            "scores": {name: answers.get(name) for name in one.cites},
            "parent": one.parent,
            "thread": roots[one.id],
            "votes": tallies.get(one.id, Tally()).as_dict(),
            "created": one.created,
        }
        for one in found
    ]


@functools.lru_cache(maxsize=2048)  # a body never changes, and is told again and again
def mark(body: str) -> str | None:
    """What is said of a body that states a score, by the rule that no method card may break."""
    return TYPED_NUMBERS if SCORE.search(body) else None
