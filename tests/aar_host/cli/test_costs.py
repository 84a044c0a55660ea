"""`aar costs` and `aar estimate`: one document, or tables."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from tests.aar_host.store.conftest import World

from aar_host.cli import group
from aar_host.jobs.places import note_campaign
from aar_host.store.campaigns import beat
from aar_host.store.schema import CallStatus
from aar_host.store.spending import Bill, CallDraft, admit_call, settle_call


def run(*words: object, **settings: str):
    return CliRunner(env=settings).invoke(group, list(map(str, words)))


@pytest.fixture
def directory(tmp_path):
    world = World(str(tmp_path / "store.db"))
    note_campaign(tmp_path, world.campaign)
    beat(world.store, world.campaign, 3600)
    call = admit_call(world.store, world.campaign, world.actor, CallDraft("m\x1b[2J", "d", 9, 9))
    settle_call(world.store, call, Bill(CallStatus.DONE, "refused", 1.25, 1234.0))
    world.store.close()
    return tmp_path


def test_costs_are_one_document(directory):
    done = run("costs", directory, "--json", AAR_COMPUTE_DOLLARS_PER_HOUR="2.5")
    found = json.loads(done.stdout)
    assert found["compute_dollars_per_hour"] == 2.5
    assert found["researchers"][0]["calls"] == {"refused": 1}
    assert found["total"]["dollars"] == 1.25


def test_costs_are_a_table(directory):
    shown = run("costs", directory).stdout
    assert "\x1b" not in shown
    for words in ("ada", "1.25", "1,234", "1 (1 refused)", "set AAR_COMPUTE_DOLLARS_PER_HOUR"):
        assert words in shown


@pytest.mark.parametrize("rate", ["-1", "many", "inf", "nan"])
def test_a_wrong_rate_is_told(directory, rate):
    done = run("costs", directory, "--json", AAR_COMPUTE_DOLLARS_PER_HOUR=rate)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "bad_settings"


def test_an_estimate_of_options(tmp_path):
    words = ("--driver", "claude-code", "--model", "claude-sonnet-4-5", "--researchers", 9)
    settings = {"AAR_CACHE_DIR": str(tmp_path)}
    done = run("estimate", *words, "--minutes", 60, "--dollars", 50, "--json", **settings)
    found = json.loads(done.stdout)
    assert found["researcher_hours"] == 9
    assert found["models"]["dollars"] == {"expected": 50.0, "most": 50.0}
    shown = run("estimate", *words, "--minutes", 60, **settings).stdout
    assert "202.50" in shown
    assert "no limit" in shown


def test_an_estimate_of_a_campaign_file(tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text(
        "minutes: 30\n"
        "models: {m: {wire: chat, model: claude-sonnet-4-5}}\n"
        "budgets: {each: {dollars: 2}}\n"
        "researchers: [{driver: command, model: m, command: [agent], count: 2}]\n"
    )
    done = run("estimate", path, "--json", AAR_CACHE_DIR=str(tmp_path))
    assert json.loads(done.stdout)["models"]["dollars"]["most"] == 4.0


def test_options_beside_a_file_are_refused(tmp_path):
    done = run("estimate", tmp_path / "campaign.yaml", "--minutes", 3, "--json")
    assert json.loads(done.stdout)["error"]["code"] == "bad_settings"
