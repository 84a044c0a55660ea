"""One thread everywhere, and the tiny problem on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from aar_lab.learners.machine import use_one_thread
from tiny_source import TinySource


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    use_one_thread()


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory) -> TinySource:
    """The tiny problem, its base weights shared by all tests of a session."""
    directory: Path = tmp_path_factory.mktemp("tiny")
    return TinySource(directory)
