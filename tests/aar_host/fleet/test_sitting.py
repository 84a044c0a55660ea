"""A person at a seat, whose commands come from a pipe: the same box, token and ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from tests.aar_host.fleet.crash_driver import PROBLEM, source_of

from aar_host.fleet.campaign import serving, started
from aar_host.fleet.options import Options
from aar_host.fleet.sitting import sit
from aar_host.sandbox import box_dir, remove_workspace
from aar_host.store.ledger import events
from aar_host.store.submissions import list_submissions
from aar_lab.errors import Conflict
from aar_lab.types import JobStatus


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("AAR_CACHE_DIR")
    os.environ["AAR_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["AAR_CACHE_DIR"]
    if before is not None:
        os.environ["AAR_CACHE_DIR"] = before


@contextmanager
def typed(text: str) -> Iterator[IO[bytes]]:
    """What comes from somebody's pipe."""
    end, begin = os.pipe()
    os.write(begin, text.encode())
    os.close(begin)
    with open(end, "rb") as stream:
        yield stream


def quiet(text: str, done: int, of: int) -> None:
    """No progress."""


@pytest.mark.parametrize("sandbox", ["bubblewrap"])
def test_a_person_works_in_a_box_like_every_researcher(cache, tmp_path, sandbox):
    out, shown = tmp_path / "run", tmp_path / "shown"
    options = Options(str(PROBLEM), 0, 5.0, 0, out, sandbox, 1)
    source = source_of("grace", 1)
    words = f"cat > mine.py <<'END'\n{source}\nEND\nlab submit mine.py --json; ls /\n"
    with started(options, quiet) as campaign, serving(campaign):
        with typed(words) as stdin, shown.open("wb") as stdout:
            assert sit(out, "grace", stdin, stdout) is JobStatus.DONE
        with typed("cat mine.py\nlab scores --json\n") as stdin, shown.open("ab") as stdout:
            assert sit(out, "grace", stdin, stdout) is JobStatus.DONE
        (found,) = list_submissions(campaign.store, campaign.id)
    told = shown.read_text()
    assert found.author == "grace"
    assert told.count(found.id) == 2, "its second sitting still knows what it handed in"
    assert source in told, "its files stayed"
    assert "vault" not in told
    kinds = [e.payload.get("state") for e in events(campaign.store, campaign.id)]
    assert [kind for kind in kinds if kind in ("sat_down", "left")] == ["sat_down", "left"] * 2
    remove_workspace(box_dir() / f"{campaign.id}-grace")


def test_nobody_sits_down_where_nothing_is_served(cache, tmp_path):
    out: Path = tmp_path / "run"
    options = Options(str(PROBLEM), 0, 5.0, 0, out, "none", 1)
    with started(options, quiet), typed("") as stdin, (tmp_path / "x").open("wb") as stdout:
        with pytest.raises(Conflict, match="nobody serves it"):
            sit(out, "grace", stdin, stdout)
