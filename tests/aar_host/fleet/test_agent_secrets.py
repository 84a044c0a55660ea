"""By content: what is in the boxes, environments, logs and transcripts of real agents.

Each agent looks through everything that its box lets it read, for hashes of what no box may hold:
the key, tokens of others, ids of test items and problems. It finds what is planted, and no more.
"""

from __future__ import annotations

import re
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.aar_host.fleet.probe import needles
from tests.aar_host.fleet.scripted_fleet import (
    KEY,
    begun,
    campaign_file,
    name_of,
    running,
    searcher,
    secrets_in,
)
from tests.scripted.script import Asked, Reply
from tests.scripted.server import scripted

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SEATS = [
    {"driver": "claude-code", "model": "messages"},
    {"driver": "codex", "model": "responses"},
    {"driver": "inspect", "model": "chat"},
]
PLANTED = "planted-where-it-is-found"
_TOKEN = re.compile(r"AAR_TOKEN=([\w-]{20,})")
_FOUND = re.compile(r"FOUND=(\[.*?\]) SEEN=(\d+)")


class Lookers:
    """The script of all three: one look through the box a session."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._lock = threading.Lock()
        self.tokens: dict[str, str] = {}
        self.looks: dict[str, list[tuple[int, str, int]]] = {}

    def __call__(self, asked: Asked) -> Reply:
        name = name_of(asked)
        if asked.turn == 0:
            with self._lock:
                others = [token for who, token in self.tokens.items() if who != name]
            wanted = [KEY, PLANTED, *others, *needles(self._out)]
            plant = f"echo {PLANTED[:8]}''{PLANTED[8:]} > planted.txt"
            return running(asked, f"{plant}; env; {searcher(wanted)}; echo OTHERS={len(others)}")
        self._keep(name, "\n".join(asked.results))
        return Reply("I am done.")

    def _keep(self, name: str, told: str) -> None:
        token, found = _TOKEN.search(told), _FOUND.search(told)
        others = re.search(r"OTHERS=(\d)", told)
        if token and found and others:
            with self._lock:
                self.tokens[name] = token.group(1)
                look = (int(others.group(1)), found.group(1), int(found.group(2)))
                self.looks.setdefault(name, []).append(look)

    def whole(self) -> bool:
        """Whether each has looked once when the tokens of both others were known."""
        with self._lock:
            seen = [any(look[0] == 2 for look in looks) for looks in self.looks.values()]
        return seen == [True] * len(SEATS)


def test_no_key_no_token_of_another_and_no_byte_of_the_vault(tmp_path):
    out = tmp_path / "run"
    lookers = Lookers(out)
    with scripted(lookers, KEY) as model:
        path = campaign_file(tmp_path, model.url, SEATS, minutes=30)
        with begun(tmp_path / "cache", path, "--out", out) as process:
            until = time.monotonic() + 600
            while not lookers.whole():
                assert time.monotonic() < until, lookers.looks
                assert process.poll() is None
                time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            process.wait(300)
    assert len(set(lookers.tokens.values())) == len(SEATS)
    for name, looks in lookers.looks.items():
        for _, found, seen in looks:
            assert found == "['/workspace/planted.txt']", name
            assert seen > 20, name
    assert needles(out), "there was something to be found"
    assert secrets_in(out, [KEY, *lookers.tokens.values()]) == []
    transcripts = [file.read_text() for file in (out / "transcripts").iterdir()]
    assert len(transcripts) == len(SEATS)
    ids = needles(out)
    assert not any(one in text for text in transcripts for one in ids)
