"""Proposals and the forecast that picks them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_host.researchers.fake_station import FakeStation

from aar_host.researchers.directions import directions, get_direction
from aar_host.researchers.grammar import Design
from aar_host.researchers.notebook import Known, Notebook
from aar_host.researchers.proposing import Proposer, promise
from aar_lab.rng import stream

GOOD = Known(Design(signal="mixture", views="plain+swap"), 0.7, "a" * 12)
BAD = Known(Design(labels="hard", loss="reverse_cross_entropy"), -0.2, "b" * 12)


def notebook(*scored):
    made = Notebook(FakeStation(get_direction("distillation")))
    for known in scored:
        made.learn(known)
    return made


def opened(direction, *scored):
    """A notebook in which the openings of the direction are known already."""
    made = notebook(*scored)
    made.seen.update(direction.openings)
    return made


def test_what_resembles_the_good_is_forecast_higher():
    near_good, near_bad = GOOD.design.changed(epochs=3), BAD.design.changed(epochs=3)
    forecast = promise([near_good, near_bad], [GOOD, BAD])
    assert forecast[0] > forecast[1] + 0.2


def test_of_equals_the_cheaper_one():
    cheap, dear = promise([Design(), Design(members=3)], [])
    assert cheap > dear


def test_what_is_known_leaves_less_to_hope_for():
    same = [GOOD] * 30
    known, unknown = promise([GOOD.design, BAD.design.changed(rate=2e-3)], same)
    assert unknown > known


def test_openings_come_first_and_once():
    direction = directions()[0]
    book, proposer = notebook(), Proposer(direction, stream(0))
    for opening in direction.openings:
        proposal = proposer.propose(book)
        assert (proposal.design, proposal.builds_on, proposal.why) == (opening, (), "opening")
        book.seen.add(opening)
    assert proposer.propose(book).why == "exploration"


def test_parents_are_named():
    direction = directions()[0]
    book, proposer = opened(direction, GOOD, BAD), Proposer(direction, stream(1))
    proposals = [proposer.propose(book) for _ in range(40)]
    for proposal in proposals:
        assert proposal.design.valid
        assert proposal.design not in book.seen
        if proposal.why == "mutation":
            assert len(proposal.builds_on) == 1
        assert set(proposal.builds_on) <= {"a" * 12, "b" * 12}
    assert {"mutation", "exploration", "recombination"} >= {one.why for one in proposals}
    assert any(proposal.builds_on for proposal in proposals)


@pytest.mark.parametrize(
    ("name", "component"), [("interpretability", "select"), ("distillation", "generations")]
)
def test_a_direction_draws_what_it_favours_more_often(name, component):
    def share(drawn_by):
        proposer = Proposer(get_direction(drawn_by), stream(2))
        found = [getattr(proposer._random(), component) for _ in range(300)]
        favoured = get_direction(name).favours[component]
        return np.mean([value in favoured for value in found])

    assert share(name) > share("evolutionary search") + 0.1
