"""Campaign files: what they say arrives, and what they get wrong is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aar_host.budgets import Budget, Budgets
from aar_host.fleet.options import Options
from aar_host.fleet.plan import read_campaign_file
from aar_host.fleet.reseal import once_more
from aar_host.researchers.base import Wire
from aar_lab.errors import BadInput, BadSettings, LabError

WHOLE = """
problem: math-mini
minutes: 60
directions: none
sharing: false
budgets:
  pool: {dollars: 100, submissions: 200}
  each: {dollars: 15, tokens: 2e7}
models:
  sonnet: {wire: messages, model: claude-sonnet-4-5, key: ANTHROPIC_API_KEY}
  local: {wire: chat, model: qwen, base_url: "http://127.0.0.1:80/v1", price: {input: 0, output: 0}}
researchers:
  - {driver: claude-code, model: sonnet, count: 3}
  - {driver: inspect, model: local, name: blaise, budget: {dollars: 30}}
  - {driver: search, direction: distillation}
  - {driver: human, name: grace}
  - {driver: command, command: [python3, agent.py]}
review: {model: sonnet, required: true}
judge: local
"""


def read(tmp_path: Path, text: str) -> Options:
    path = tmp_path / "campaign.yaml"
    path.write_text(text)
    return read_campaign_file(path).options(tmp_path / "out", "bubblewrap", 2, tmp_path)


def test_all_that_a_file_says_arrives(tmp_path):
    options = read(tmp_path, WHOLE)
    assert (options.problem, options.minutes, options.researchers) == ("math-mini", 60, 7)
    names = [(seat.name, seat.driver, seat.model) for seat in options.seated]
    assert names[:4] == [
        ("ada", "claude-code", "sonnet"),
        ("carl", "claude-code", "sonnet"),
        ("dorothea", "claude-code", "sonnet"),
        ("blaise", "inspect", "local"),
    ]
    assert options.budgets.pool == Budget(dollars=100, submissions=200)
    assert options.budgets.of("blaise") == Budget(dollars=30, tokens=2e7)
    assert options.directions["ada"] == "undirected"
    assert options.directions["emmy"] == "distillation"
    assert not options.sharing
    assert options.review is not None
    assert options.review.required
    assert (options.models[0].wire, options.models[1].price) == (
        Wire.MESSAGES,
        {"input": 0, "output": 0},
    )
    assert options.seated[-1].command == ("python3", "agent.py")


def test_a_campaign_is_taken_up_with_the_options_that_it_was_started_with(tmp_path):
    options = read(tmp_path, WHOLE)
    kept = json.loads(json.dumps(options.as_dict()))
    assert Options.from_dict(kept, options.out) == options


def test_finalists_are_opened_again_without_seats_models_and_reviews(tmp_path):
    again = once_more(read(tmp_path, WHOLE), tmp_path / "again", "c1")
    assert (again.seated, again.models, again.review, again.judge) == ((), (), None, None)
    assert (again.budgets, again.reseals, again.problem) == (Budgets(), "c1", "math-mini")


def test_each_researcher_of_an_entry_without_a_name_has_its_budget(tmp_path):
    text = "researchers: [{driver: search, count: 2, budget: {submissions: 5}}, {driver: search}]"
    budgets = read(tmp_path, text).budgets
    assert [budgets.of(name).submissions for name in ("ada", "blaise", "carl")] == [5, 5, None]


def test_options_of_an_earlier_version_are_read(tmp_path):
    kept = {
        **{"problem": "chat-mini", "researchers": 2, "minutes": 3.0, "seed": 0, "out": None},
        **{"sandbox": "bubblewrap", "workers": 2, "integrity": True, "reseals": None},
        **{"policy": "SEALED", "leaky": False},
    }
    options = Options.from_dict(kept, tmp_path)
    assert [seat.driver for seat in options.seated] == ["search", "search"]
    assert options.budgets == Budgets()


FAULTS = {
    "researchers: [{driver: telepathy}]": "telepathy: there is no such driver",
    "researchers: [{driver: codex}]": "it needs a model",
    "researchers: [{driver: search, model: x}]": "it uses no model",
    "researchers: [{driver: claude-code, model: x}]": "no model of this name",
    "researchers: [{driver: command}]": "has a command",
    "researchers: [{driver: search, name: ada}, {driver: search, name: ada}]": "two researchers",
    "researchers: [{driver: search, name: monitor}]": "acts under this name",
    "researchers: [{driver: search, name: ../ada}]": "no name of a researcher",
    "researchers: []": "researchers",
    "researchers: [{driver: search, count: 99}]": "count",
    "researchers: [{driver: search}]\nbudgets: {pool: {dollars: -1}}": "dollars",
    "researchers: [{driver: search}]\nbudget: 3": "budget",
    "researchers: [{driver: search, direction: nowhere}]": "nowhere",
    "models: {m: {wire: chat, model: x}}\nresearchers: [{driver: codex, model: m}]": "speaks chat",
    "researchers: [{driver: search}]\nreview: {model: x}": "no model of this name",
    "- 1": "no mapping",
    "a: [": "not YAML",
}


@pytest.mark.parametrize(("text", "told"), FAULTS.items(), ids=FAULTS.values())
def test_what_is_wrong_is_told(tmp_path, text, told):
    with pytest.raises(LabError, match=told) as caught:
        read(tmp_path, text)
    assert isinstance(caught.value, BadSettings | BadInput)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read_campaign_file(tmp_path / "absent.yaml")
