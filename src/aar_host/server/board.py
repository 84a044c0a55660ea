"""The leaderboard as it is told, kept in order as scores come in."""

from __future__ import annotations

import bisect
import math
import threading
from collections.abc import Callable
from itertools import islice
from typing import Any

from aar_host.feedback import Policy, answer
from aar_host.store import Store
from aar_host.store.scores import Entry, scored_since

Place = tuple[float, float, str]


class Board:
    """The scored submissions of one campaign, best first; those without a number last."""

    def __init__(self, store: Store, campaign: str, policy: Policy) -> None:
        self._store, self._campaign, self._policy = store, campaign, policy
        self._places: list[Place] = []
        self._rows: dict[str, dict[str, Any]] = {}
        self._seen = 0
        self._turn = threading.Lock()

    def rows(
        self, limit: int, shown: Callable[[str], bool] = lambda author: True
    ) -> list[dict[str, Any]]:
        """The best `limit` rows as JSON; of equals the earlier comes first.

        Args:
            shown: whether an author's rows are among them.
        """
        with self._turn:
            entries, self._seen = scored_since(self._store, self._campaign, self._seen)
            for entry in entries:
                row = self._row(entry)
                self._rows[entry.submission] = row
                bisect.insort(self._places, _place(entry, row))
            rows = (self._rows[name] for _, _, name in self._places)
            return list(islice((row for row in rows if shown(row["author"])), limit))

    def _row(self, entry: Entry) -> dict[str, Any]:
        return {
            "submission": entry.submission,
            "author": entry.author,
            "title": entry.card["title"],
            "family": entry.card["family"],
            "score": answer(self._policy, entry.body),
        }


def _place(entry: Entry, row: dict[str, Any]) -> Place:
    pgr = row["score"]["pgr"]
    return (math.inf if pgr is None else -float(pgr), entry.created, entry.submission)
