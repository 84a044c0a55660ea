"""`aar watch`: from another process, without a trace, until the end or Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading

import pytest
from click.testing import CliRunner
from rich.console import Console
from tests.aar_host.models.conftest import empty_store
from tests.aar_host.store.conftest import World

from aar_host.cli import group
from aar_host.fleet.observe import Observer
from aar_host.jobs.places import note_campaign
from aar_host.report.watching import event_line, render
from aar_host.settings import environment
from aar_host.store.campaigns import set_state
from aar_host.store.ledger import Event, append, events
from aar_host.store.schema import CampaignState

AAR = [sys.executable, "-c", "from aar_host.cli import main; main()"]


@pytest.fixture
def world(tmp_path) -> World:
    (tmp_path / "store.db").write_bytes(empty_store())
    made = World(str(tmp_path / "store.db"))
    note_campaign(tmp_path, made.campaign)
    facts = {"title": "\x1b[2J wipes", "fault": "it called no tool", "remedy": "See it."}
    tell(made, "researcher_event", researcher="ada", state="session_no_work", facts=facts)
    tell(made, "budget_warning", researcher="ada", resource="dollars", share=0.8)
    tell(made, "budget_warning", researcher=None, resource="tokens", share=1.0)
    return made


def tell(world: World, kind: str, **payload: object) -> None:
    with world.store.writing() as connection:
        append(connection, 0.0, Event(world.campaign, kind, payload))


def run(*words: object):
    return CliRunner().invoke(group, ["watch", *map(str, words)])


def test_once_is_one_document(tmp_path, world):
    done = run(tmp_path, "--once", "--json")
    found = json.loads(done.stdout)
    assert found["researchers"][0]["marks"] == {"dollars": 0.8}
    assert found["marks"] == {"tokens": 1.0}
    assert found["seq"] == events(world.store, world.campaign)[-1].seq


def test_once_is_a_table(tmp_path, world):
    shown = run(tmp_path, "--once").stdout
    assert "\x1b" not in shown
    for words in ("ada", "session_no_work", "dollars 80%", "used of the pool: tokens 100%"):
        assert words in shown
    assert "it called no tool See it." in shown


def test_what_is_shown_fits_a_terminal(world):
    view, _ = Observer(world.store, world.campaign, {"ada": "claude-code"}).look()
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(render(view))
    text = console.export_text()
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "claude-code" in text


def test_it_follows_until_the_end_and_leaves_no_trace(tmp_path, world):
    before = len(events(world.store, world.campaign))
    ending = threading.Timer(0.5, set_state, (world.store, world.campaign, CampaignState.CLOSED))
    ending.start()
    lines = [json.loads(line) for line in run(tmp_path, "--json").stdout.splitlines()]
    assert [line["seq"] for line in lines[:-1]] == list(range(1, before + 2))
    assert lines[-2]["kind"] == "state_changed"
    assert lines[-1]["state"] == "closed"
    assert len(events(world.store, world.campaign)) == before + 1


def test_ctrl_c_ends_it_in_order(tmp_path, world):
    command = [*AAR, "watch", str(tmp_path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert first["seq"] == 1
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert json.loads(rest[-1])["state"] == "open"


def test_on_a_terminal_it_is_drawn_and_ctrl_c_ends_it(tmp_path, world):
    mine, its = pty.openpty()
    command = [*AAR, "watch", str(tmp_path)]
    shown = b""
    with subprocess.Popen(command, stdout=its, env=environment(TERM="xterm")) as process:
        os.close(its)
        while b"session_no_work" not in shown:
            shown += os.read(mine, 65536)
        process.send_signal(signal.SIGINT)
    os.close(mine)
    assert process.returncode == 0
    assert b"[2J wipes" not in shown or b"\\x1b[2J" in shown


def test_events_are_harmless_lines():
    event = {"time": 0.0, "by": "a\x1bb", "kind": "tool_call", "payload": {"x": "\u202e\n" * 900}}
    line = event_line(event)
    assert line.isprintable()
    assert len(line) <= 400


def test_a_directory_without_a_campaign_is_told(tmp_path):
    done = run(tmp_path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "bad_input"
