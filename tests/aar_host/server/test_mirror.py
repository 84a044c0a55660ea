"""The forum's folder follows the store, tells no more than the API, and keeps authors quoted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from aar_host.feedback import SEALED
from aar_host.server.mirror import Mirror, mirroring
from aar_host.store import Tier
from aar_host.store.campaigns import set_state
from aar_host.store.schema import CampaignState
from aar_host.store.submissions import fail_submission
from aar_lab.errors import JobFailed
from aar_lab.types import JobStatus, Role

OTHER = "'''\x1b[2J\u202e'''\ndef train(task, rng): return '\x1b'\n"


@pytest.fixture
def where(tmp_path) -> str:
    """One database will do: what is tested here lies before the store."""
    return str(tmp_path / "lab.db")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "forum"


@pytest.fixture
def mirror(site, folder) -> Mirror:
    return Mirror(site.store, site.campaign, SEALED, folder)


def post(site, body: str, token: str = "", **more) -> str:
    content = {"kind": "result", "body": body} | more
    return str(site.call("POST", "/findings", token, json=content).json()["finding"])


def everything(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*.*")))


def test_an_empty_forum_has_an_index(mirror, folder):
    assert mirror.refresh()
    assert sorted(path.name for path in folder.glob("*.*")) == ["INDEX.md", "LEADERBOARD.md"]
    assert "None yet." in (folder / "INDEX.md").read_text()


def test_each_finding_is_a_file_with_its_thread_and_scores(site, mirror, folder):
    name = site.submit()
    first = post(site, "It works.", cites=[name])
    post(site, "Does it?", site.token("bob"), parent=first)
    mirror.refresh()
    one, two = sorted(folder.glob("[0-9]*.md"))
    assert f"- cites {name}: no score yet" in one.read_text()
    assert f"- answered by [{two.name}]({two.name})" in one.read_text()
    assert f"- in reply to [{one.name}]({one.name})" in two.read_text()
    site.score(name, 0.123456)
    assert mirror.refresh()
    assert f"- cites {name}: PGR 0.12, interval [0.02, 0.22]" in one.read_text()


def test_the_index_is_newest_first_and_by_votes(site, mirror, folder):
    low, high = post(site, "Low."), post(site, "High.")
    newest = post(site, "Newest.")
    for voter, finding, value in (("bob", high, 1), ("carl", low, 1), ("bob", newest, -1)):
        path = f"/findings/{finding}/vote"
        assert site.call("POST", path, site.token(voter), json={"value": value}).is_success
    site.call("POST", f"/findings/{high}/vote", site.token("dora"), json={"value": 1})
    mirror.refresh()
    valued, by_age = (folder / "INDEX.md").read_text().split("## Newest first")
    assert valued.index("> High.") < valued.index("> Low.")
    assert "Newest" not in valued
    assert by_age.index("> Newest.") < by_age.index("> High.") < by_age.index("> Low.")
    assert "votes +2 (2 up, 0 down)" in valued


def test_a_submission_has_its_card_lineage_and_source(site, mirror, folder, draft):
    first = site.submit()
    second = site.call("POST", "/submissions", json=draft(OTHER, builds_on=[first]))
    child = second.json()["submission"]
    post(site, "Look.", cites=[first])
    site.score(first, 0.5)
    error = JobFailed("seed 1", "the method ended as crashed", "Try it.")
    fail_submission(site.store, child, JobStatus.CRASHED, error)
    mirror.refresh()
    page = (folder / "submissions" / f"{first}.md").read_text()
    (finding,) = folder.glob("[0-9]*.md")
    for line in (
        f"# Submission {first} by ada",
        "- status: done",
        "- PGR 0.5, interval [0.4, 0.6]",
        f"- [{child}]({child}.md) builds on it",
        f"- cited by [{finding.name}](../{finding.name})",
        "> A title",
        "> An idea.",
    ):
        assert line in page.splitlines()
    other = (folder / "submissions" / f"{child}.md").read_text().splitlines()
    assert f"- builds on [{first}]({first}.md)" in other
    assert "> seed 1: the method ended as crashed" in other
    assert (
        f"1. [{first}](submissions/{first}.md) by ada: PGR 0.5"
        in (folder / "LEADERBOARD.md").read_text()
    )


def test_a_source_keeps_its_meaning_and_loses_its_steering(site, mirror, folder):
    name = site.submit(OTHER)
    mirror.refresh()
    text = (folder / "submissions" / f"{name}.py").read_text()
    assert "\x1b" not in text
    assert "\u202e" not in text
    strings: dict[str, object] = {}
    exec(text, strings)  # noqa: S102  (spelt out, the string is the same string)
    assert strings["train"](None, None) == "\x1b"


def test_nothing_is_told_but_what_the_policy_answers(site, mirror, folder):
    name = site.submit()
    post(site, "Look.", cites=[name])
    set_state(site.store, site.campaign, CampaignState.FROZEN)
    site.score(name, 0.777777, Tier.SEALED)
    mirror.refresh()
    assert "0.7" not in everything(folder)
    assert "accuracy" not in everything(folder)


def test_only_what_changed_is_written(site, mirror, folder):
    post(site, "One.")
    assert mirror.refresh()
    assert not mirror.refresh()
    (first,) = folder.glob("[0-9]*.md")
    before = first.stat().st_ino
    post(site, "Two.")
    site.token("olga", Role.OPERATOR)
    assert mirror.refresh()
    assert not mirror.refresh()
    assert first.stat().st_ino == before
    assert len(list(folder.glob("[0-9]*.md"))) == 2


def test_a_new_host_writes_what_is_missing_and_removes_what_never_was(site, mirror, folder):
    post(site, "One.")
    mirror.refresh()
    written = everything(folder)
    (folder / "INDEX.md").write_text("torn")
    (folder / "000999-result.md").write_text("of a store that was lost")
    (folder / "submissions" / "x.py").write_text("as well")
    assert Mirror(site.store, site.campaign, SEALED, folder).refresh()
    assert everything(folder) == written


def test_everybody_may_read_it_whatever_the_umask(site, folder):
    before = os.umask(0o077)
    try:
        Mirror(site.store, site.campaign, SEALED, folder).refresh()
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644)


def test_a_thread_follows_and_writes_the_last_at_its_end(site, mirror, folder):
    with mirroring(mirror):
        post(site, "In time.")
    (first,) = folder.glob("[0-9]*.md")
    assert "> In time." in first.read_text()


def test_a_fault_of_the_disk_is_made_good_later(site, mirror, folder, caplog):
    mirror.refresh()
    blocked = folder.with_name(".forum.draft")
    blocked.mkdir()
    with mirroring(mirror):
        post(site, "While the disk was full.")
    assert "the forum's folder is behind" in caplog.text
    blocked.rmdir()
    assert mirror.refresh()
    assert "While the disk was full." in everything(folder)
