"""`aar lineage`: a tree, a document, a drawing."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from tests.cards import card_with

from aar_host.auth import issue
from aar_host.cli import group
from aar_host.jobs.places import note_campaign
from aar_host.store import Tier, open_store
from aar_host.store.actors import actor_of_token
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.scores import record_score
from aar_host.store.submissions import Draft, add_submission
from aar_lab.digest import digest_text
from aar_lab.types import Role


@pytest.fixture
def submissions(tmp_path):
    """The ids of two submissions in a campaign's directory; the second builds on the first."""
    times = iter(range(1000))
    store = open_store(tmp_path / "store.db", lambda: float(next(times)))
    config = {"seeds": 2, "max_submissions": 3}
    campaign = create_campaign(store, Plan("p", "1", "d", "SEALED", "a", config)).id
    note_campaign(tmp_path, campaign)
    token = issue(store, campaign, "ada", Role.RESEARCHER, 1)
    actor = actor_of_token(store, digest_text(token)).id
    card = card_with(title="Title\x1b[2J")
    first = add_submission(store, campaign, actor, Draft("a", card))
    second = add_submission(store, campaign, actor, Draft("b", card, (first,)))
    pgr = {"mean": 0.123456, "interval": [0.0, 0.2]}
    record_score(store, first, Tier.PUBLIC, {"part": "public", "pgr": pgr})
    return first, second


def run(*words: object):
    return CliRunner().invoke(group, ["lineage", *map(str, words)])


def test_a_tree_is_printed(tmp_path, submissions):
    first, second = submissions
    done = run(tmp_path)
    assert done.stdout.splitlines() == [
        f"{first} ada, PGR 0.12: Title\\x1b[2J",
        f"  {second} ada, queued: Title\\x1b[2J",
    ]


def test_the_document_is_the_graph(tmp_path, submissions):
    first, second = submissions
    graph = json.loads(run(tmp_path, "--json").stdout)
    assert [node["submission"] for node in graph["nodes"]] == [first, second]
    assert graph["edges"] == [{"kind": "builds_on", "from": second, "to": first}]


def test_it_is_drawn_into_a_file(tmp_path, submissions):
    path = tmp_path / "lineage.svg"
    assert run(tmp_path, "--svg", path).exit_code == 0
    text = path.read_text()
    assert text.startswith("<svg")
    assert "--series-0:" in text


def test_a_directory_without_a_campaign_is_told(tmp_path):
    done = run(tmp_path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["fault"].startswith("it holds no campaign")
    assert not (tmp_path / "store.db").exists()
