"""The real server on a real unix socket, asked by the real client."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from aar_host.server import listening
from aar_lab.client import Client
from aar_lab.errors import BadSettings, BadSource, Conflict, NotAuthorised, Unavailable
from aar_lab.types import MethodCard

CARD = MethodCard("A title", "An idea.")
METHOD = '"""A title\n\nAn idea."""\nFAMILY = "ensemble"\n\n\ndef train(task, rng): ...\n'


@pytest.fixture
def path(tmp_path):
    return tmp_path / "host.sock"


def client(path: Path, token: str) -> Client:
    return Client(token, httpx.HTTPTransport(uds=str(path)))


def test_anybody_may_connect_and_only_the_token_counts(site, path):
    with listening(site.app, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert client(path, site.ada).brief()["you"]["name"] == "ada"
        with pytest.raises(NotAuthorised, match="not known"):
            client(path, "wrong").brief()
    assert not path.exists()
    with pytest.raises(Unavailable):
        client(path, site.ada).brief()


def test_a_researcher_s_day(site, path):
    with listening(site.app, path):
        ada = client(path, site.ada)
        with pytest.raises(BadSource, match="train"):
            ada.submit("x = 1", CARD)
        name = ada.submit(METHOD, CARD)["submission"]
        assert ada.source(name)["source"] == METHOD
        site.score(name, 0.5)
        assert ada.submission(name, wait=5)["score"]["pgr"] == 0.5
        assert ada.leaderboard()["leaderboard"][0]["submission"] == name
        ada.post("result", "It works.", [name])
        assert ada.findings()["findings"][0]["scores"][name]["pgr"] == 0.5


def test_the_command_line_talks_to_the_server(site, path, tmp_path):
    (tmp_path / "m.py").write_text(METHOD)
    lines = "brief\nsubmit m.py\nsubmit m.py\npost insight hello\nfindings --into notes\nnonsense\n"
    environment = {"AAR_SOCKET": str(path), "AAR_TOKEN": site.ada, "PATH": os.environ["PATH"]}
    with listening(site.app, path):
        done = subprocess.run(
            [sys.executable, "-m", "aar_lab.cli", "shell"],
            input=lines,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=60,
        )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["exit"] for answer in answers] == [0, 0, 0, 0, 0, 2]
    assert answers[2]["output"] == answers[1]["output"]
    assert (tmp_path / "notes" / "INDEX.md").read_text().count("insight by ada") == 1


def test_loopback_tcp_is_served_where_asked_for(site, path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with listening(site.app, path, port):
        assert httpx.get(f"http://127.0.0.1:{port}/v1/health").json()["status"] == "ok"
        with pytest.raises(Conflict, match=str(port)):
            listening(site.app, path.with_name("other.sock"), port).__enter__()


def test_a_living_server_is_not_replaced_but_a_stale_socket_is(site, path):
    with listening(site.app, path), pytest.raises(Conflict, match="a server answers"):
        listening(site.app, path).__enter__()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listening(site.app, path):
        assert client(path, site.ada).brief()["problem"] == "chat-mini"


def test_a_path_too_long_for_a_socket_is_a_typed_error(site, tmp_path):
    with pytest.raises(BadSettings, match="too long"):
        listening(site.app, tmp_path / ("x" * 120)).__enter__()
