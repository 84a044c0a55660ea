"""What the campaign's policy says about the public scores of submissions, by submission."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aar_host.feedback import Policy, answer
from aar_host.store import Store
from aar_host.store.scores import scores_of


def answers_of(store: Store, policy: Policy, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The answers on those submissions that have a public score."""
    return {name: answer(policy, body) for name, body in scores_of(store, names).items()}
