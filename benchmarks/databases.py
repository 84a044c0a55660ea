"""The same measurement on SQLite and on a PostgreSQL server of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.postgresql import serving


def on_both(measure: Callable[[str | None], Any]) -> dict[str, Any]:
    """What `measure` gives for a file of SQLite (None) and for the URL of a PostgreSQL database."""
    found = {"sqlite": measure(None)}
    with serving(durable=True) as server, server.database() as url:
        found["postgresql"] = measure(url)
    return found
