"""Findings and what they may cite."""

from __future__ import annotations

import pytest

from aar_host.store.findings import MAX_BODY, Note, add_finding, list_findings
from aar_lab.errors import BadInput
from aar_lab.types import FindingKind


def post(world, body: str, *cites: str) -> str:
    note = Note(FindingKind.RESULT, body, cites)
    return add_finding(world.store, world.campaign, world.actor, note)


def test_findings_come_in_order_with_the_author_the_host_knows(world):
    submission = world.submit("a")
    first, second = post(world, "one", submission), post(world, "two")
    found = list_findings(world.store, world.campaign)
    assert [finding.id for finding in found] == [first, second]
    assert (found[0].author, found[0].cites, found[0].body) == ("ada", [submission], "one")
    later = list_findings(world.store, world.campaign, since=found[0].seq)
    assert [finding.id for finding in later] == [second]
    assert list_findings(world.store, "another") == []


@pytest.mark.parametrize("body", ["", " \n", "x" * (MAX_BODY + 1)])
def test_a_body_has_a_length(body):
    with pytest.raises(BadInput, match="characters"):
        Note(FindingKind.RESULT, body)


def test_only_submissions_of_the_campaign_can_be_cited(world):
    with pytest.raises(BadInput, match="no such submission"):
        post(world, "body", "0" * 12)
    assert list_findings(world.store, world.campaign) == []
