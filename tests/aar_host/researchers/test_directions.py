"""The nine directions and what they open with."""

from __future__ import annotations

import pytest

from aar_host.researchers.directions import directions, get_direction
from aar_lab.errors import UnknownName


def test_there_are_nine_with_a_sentence_each():
    assert len({direction.name for direction in directions()}) == 9
    assert all(0 < len(direction.sentence) <= 100 for direction in directions())


def test_openings_are_valid_cheap_and_nobody_elses():
    openings = [opening for direction in directions() for opening in direction.openings]
    assert all(opening.valid and opening.cost <= 6 for opening in openings)
    assert len(set(openings)) == len(openings)
    assert all(direction.openings and direction.favours for direction in directions())


def test_an_unknown_direction():
    with pytest.raises(UnknownName, match="distillation"):
        get_direction("luck")
