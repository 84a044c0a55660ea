"""Seats in real boxes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from aar_host.researchers import BoxStation, Seat, Terms, get_direction, seat_spec
from aar_host.sandbox import Sandbox, make_sandbox, new_workspace, remove_workspace

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return make_sandbox("bubblewrap")


@pytest.fixture
def heard() -> list[tuple[str, str, dict[str, object]]]:
    """What the stations reported: (name, state, facts)."""
    return []


@pytest.fixture
def make(sandbox, tmp_path, heard) -> Iterator[Callable[..., BoxStation]]:
    """Makes a station with some terms, and closes it; `socket`, `token` and `data` are the
    host's."""
    made = []

    def station(socket=None, token="secret", data=None, **terms):
        if data is None:
            data = tmp_path / "bundle"
            data.mkdir(exist_ok=True)
            (data / "problem.json").write_text("public")
        if socket is None:
            socket = tmp_path / "host.sock"
            socket.touch()
        workspace = new_workspace(f"station-{os.getpid()}-{next(_NUMBERS)}")
        spec = seat_spec(workspace, {"/data": data}, socket, token, 300.0)
        seat = Seat("ada", get_direction("distillation"), 7)
        listen = lambda *words: heard.append(words)  # noqa: E731
        made.append((BoxStation(seat, sandbox, spec, listen, Terms(**terms)), workspace))
        return made[-1][0]

    yield station
    for one, workspace in made:
        one.close()
        remove_workspace(workspace)
