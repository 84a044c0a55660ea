"""The two databases on which the tests of the store, of tokens and of routes run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgresql import Server, serving


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server of this session's own."""
    with serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """What `open_store` is given: an empty database of the test's own on either server."""
    if request.param == "sqlite":
        yield str(tmp_path / "lab.db")
        return
    with request.getfixturevalue("postgresql").database() as url:
        yield url
