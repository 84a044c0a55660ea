"""What an agent is told."""

from __future__ import annotations

import re

import pytest
from tests.aar_host.researchers.test_sessions import AgentStation

from aar_host.researchers import get_direction
from aar_host.researchers.brief import MAX_PAST, render, write_brief
from aar_lab.agreement import read_agreement
from aar_lab.cards import read_card
from aar_lab.errors import JobFailed
from aar_lab.integrity import read_rules
from aar_lab.tools import VERBS


@pytest.fixture
def station():
    return AgentStation()


def test_it_says_what_the_host_says(station):
    text, told = write_brief(station)
    assert told is station.told
    assert station.files["brief.md"] == text
    for part in ("# You are ada", "tiny", "Recover.", "- Be honest.", "3 submissions, 1.5 minutes"):
        assert part in text
    assert "trained by the host on 5 seeds" in text
    assert "Nothing yet." in text
    for verb in VERBS:
        assert verb.example in text


@pytest.mark.parametrize("told", [{"seconds_left": "soon"}, {"you": 3}, {"budget": [{}]}])
def test_what_is_no_answer_of_the_host_is_a_typed_error(station, told):
    station.told |= told
    with pytest.raises(JobFailed, match="no answer of the host"):
        write_brief(station)


def test_the_direction_is_one_sentence_or_none(station):
    assert "Where to look" not in render(station, station.told)
    station.direction = get_direction("distillation")
    assert f"Where to look: {station.direction.sentence}" in render(station, station.told)


def test_a_campaign_without_an_end(station):
    assert "3 submissions. Each" in render(station, station.told | {"seconds_left": None})


def test_what_was_done_before(station):
    scored = {"submission": "a" * 12, "status": "done", "score": {"pgr": 0.42}, "error": None}
    failed = {"submission": "b" * 12, "status": "crashed", "score": None}
    failed |= {"error": {"fault": "it broke"}}
    text = render(station, station.told, [scored, failed])
    assert f"- {'a' * 12}: done, PGR 0.42\n" in text
    assert f"- {'b' * 12}: crashed, it broke\n" in text
    many = render(station, station.told, [scored] * (MAX_PAST + 2))
    assert "2 earlier ones" in many
    assert many.count("PGR 0.42") == MAX_PAST


def test_its_example_is_a_method_that_keeps_the_rules(station):
    source = re.search(r"```python\n(.*?)```", render(station, station.told), re.DOTALL).group(1)
    assert read_rules(source) == []
    assert list(read_agreement(source, read_card(source))) == []
