"""Campaigns that are interrupted while they are set up, held by one process, and told once over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.aar_host.fleet.crash_driver import PROBLEM, SECRET, source_of
from tests.cards import card_with

from aar_host.auth import authenticate, issue
from aar_host.cli import group
from aar_host.fleet.campaign import options_of, started
from aar_host.fleet.finals import chosen, close_search, finalists
from aar_host.fleet.options import Options
from aar_host.jobs.grounds import Grounds
from aar_host.jobs.manifest import read_manifest
from aar_host.store import Tier
from aar_host.store.campaigns import set_state
from aar_host.store.ledger import events
from aar_host.store.schema import CampaignState
from aar_host.store.scores import record_score
from aar_host.store.submissions import Draft, add_submission, get_submission
from aar_lab.errors import BadInput, Conflict
from aar_lab.types import JobStatus, Role


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An installation's cache, its anchors trained once for this file."""
    before = os.environ.get("AAR_CACHE_DIR")
    os.environ["AAR_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["AAR_CACHE_DIR"]
    if before is not None:
        os.environ["AAR_CACHE_DIR"] = before


def asked(out: Path) -> Options:
    return Options(str(PROBLEM), 1, 5.0, 0, out, "none", 1)


def quiet(text: str, done: int, of: int) -> None:
    """No progress."""


class Killed(BaseException):
    """Stands for a kill."""


def dying_at(word: str, step: int):
    """A progress that ends the process, as it were, when a phase begins or is over."""

    def report(text: str, done: int, of: int) -> None:
        if word in text and done == step:
            raise Killed

    return report


def content(folder: Path) -> dict[str, bytes]:
    """Every file of the grounds by its path."""
    parts = [
        p for name in ("public", "host", "vault", "practice") for p in (folder / name).rglob("*")
    ]
    return {str(path.relative_to(folder)): path.read_bytes() for path in parts if path.is_file()}


@pytest.mark.parametrize(("word", "step"), [("weak", 1), ("test items", 0), ("test items", 1)])
def test_a_campaign_that_died_while_it_was_set_up_is_set_up_whole(tmp_path, word, step):
    calm, out = tmp_path / "calm", tmp_path / "run"
    with started(asked(calm), quiet, secret=SECRET):
        expected = content(calm)
    if word == "weak":
        os.environ["AAR_CACHE_DIR"] = str(tmp_path / "cache")  # where no anchor is trained yet
    with pytest.raises(Killed), started(asked(out), dying_at(word, step), secret=SECRET):
        raise AssertionError("it was not interrupted")
    name = read_manifest(out)["campaign"]
    with started(options_of(out), quiet, fresh=False, secret=SECRET) as campaign:
        assert campaign.id == name
        assert campaign.grounds.laid
        if word != "weak":
            assert content(out).keys() == expected.keys()
            assert content(out)["vault/sealed.jsonl"] == expected["vault/sealed.jsonl"]


def test_half_of_the_grounds_is_laid_anew(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(Killed), started(asked(out), dying_at("test items", 0)):
        pass
    for folder, name in (("host", "public.jsonl"), ("vault", "public.jsonl"), ("public", "x")):
        (out / folder).mkdir()
        (out / folder / name).write_text("half of it")
    with started(options_of(out), quiet, fresh=False) as campaign:
        assert campaign.grounds.tests.vault
    assert not (out / "public" / "x").exists()
    assert "half of it" not in (out / "host" / "public.jsonl").read_text()


def test_what_is_set_up_is_left_as_it_is(tmp_path):
    out = tmp_path / "run"
    with started(asked(out), quiet) as first:
        before, length = content(out), len(events(first.store, first.id))
    with started(options_of(out), quiet, fresh=False) as again:
        assert (again.id, again.started) == (first.id, first.started)
        assert content(out) == before
        assert len(events(again.store, again.id)) == length


def test_two_fleets_never_work_in_one_directory(tmp_path):
    out = tmp_path / "run"
    with started(asked(out), quiet):
        with pytest.raises(Conflict, match="at work"), started(options_of(out), quiet, fresh=False):
            pass
        with pytest.raises(Conflict, match="not empty"), started(asked(out), quiet):
            pass


def test_a_directory_without_a_campaign_cannot_be_taken_up(tmp_path):
    with pytest.raises(BadInput, match="holds no campaign"):
        options_of(tmp_path)
    result = CliRunner().invoke(group, ["run", "--resume", str(tmp_path), "--json"])
    assert json.loads(result.stdout)["error"]["code"] == "bad_input"


def test_a_campaign_goes_on_as_it_was_started(tmp_path):
    result = CliRunner().invoke(
        group, ["run", "--resume", str(tmp_path), "--minutes", "9", "--json"]
    )
    error = json.loads(result.stdout)["error"]
    assert (error["code"], error["value"]) == ("bad_settings", "--minutes with --resume")


def test_other_data_than_it_was_started_with_are_refused(tmp_path):
    out = tmp_path / "run"
    with started(asked(out), quiet):
        pass
    facts = out / "host" / "facts.json"
    facts.write_text(facts.read_text().replace(Grounds(out).facts["data"], "0" * 64))
    with (
        pytest.raises(Conflict, match="was started with 0000"),
        started(options_of(out), quiet, fresh=False),
    ):
        pass


def test_the_finalists_are_those_who_led_when_it_was_frozen(tmp_path):
    with started(asked(tmp_path / "run"), quiet) as campaign:
        store = campaign.store
        token = issue(store, campaign.id, "ada", Role.RESEARCHER, 1)
        actor = authenticate(store, token).id
        names = []
        for number, pgr in enumerate((0.3, 0.5)):
            draft = Draft(source_of("ada", number), card_with(title=f"title {number}"))
            names.append(add_submission(store, campaign.id, actor, draft))
            body = {"part": "public", "pgr": {"mean": pgr, "interval": [pgr, pgr]}}
            record_score(store, names[-1], Tier.PUBLIC, body)
        late = add_submission(store, campaign.id, actor, Draft("x", card_with(title="late")))
        close_search(campaign)
        assert get_submission(store, late).status is JobStatus.CANCELLED
        assert chosen(store, campaign.id) is None
        assert [entry.submission for entry, _ in finalists(campaign)] == [names[1]]
        length = len(events(store, campaign.id))
        close_search(campaign)
        assert [entry.submission for entry, _ in finalists(campaign)] == [names[1]]
        assert chosen(store, campaign.id) == [names[1]]
        assert len(events(store, campaign.id)) == length
        set_state(store, campaign.id, CampaignState.OPENED)
        close_search(campaign)
        assert len(events(store, campaign.id)) == length + 1
