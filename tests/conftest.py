"""Long files first: with one file a worker, the last one begun decides when all is over."""

from __future__ import annotations

import pytest

LONGEST = (
    "fleet/test_campaign.py",
    "fleet/test_agent_secrets.py",
    "fleet/test_scripted_fleet.py",
    "researchers/test_agents.py",
    "inspect/test_session.py",
    "jobs/test_executor.py",
    "experiment/test_supervisor.py",
    "fleet/test_resume.py",
    "server/test_schemathesis.py",
    "jobs/test_failures.py",
    "attacks/test_attacks.py",
)


def _rank(item: pytest.Item) -> int:
    path = item.path.as_posix()
    places = (rank for rank, name in enumerate(LONGEST) if path.endswith(name))
    return next(places, len(LONGEST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by file alone: within one, the order stays."""
    items.sort(key=_rank)
