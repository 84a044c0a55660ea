"""What the campaign's policy says about the public scores of submissions, by submission."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aar_host.feedback import Policy, answer
from aar_host.store import Store
from aar_host.store.scores import scores_of

BATCH = 1000  # a database takes only so many values in one question


def answers_of(store: Store, policy: Policy, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The answers on those submissions that have a public score."""
    asked, found = list(names), dict[str, dict[str, Any]]()
    for start in range(0, len(asked), BATCH):
        scored = scores_of(store, asked[start : start + BATCH])
        found |= {name: answer(policy, body) for name, body in scored.items()}
    return found
