"""Designs: canonical form, JSON, cost and distance."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_host.researchers.grammar import COMPONENTS, MAX_COST, Design, distance
from aar_lab.errors import BadInput

designs = st.builds(Design, **{name: st.sampled_from(v) for name, v in COMPONENTS.items()})


def test_every_component_is_a_field_and_its_default_a_value():
    assert list(COMPONENTS) == list(Design.__dataclass_fields__)
    assert Design() == Design.from_dict({})


@given(designs)
def test_json_there_and_back(design):
    assert Design.from_dict(json.loads(json.dumps(design.as_dict()))) == design


@given(designs)
def test_what_does_not_matter_is_left_out_and_makes_no_difference(design):
    absent = set(COMPONENTS) - set(design.as_dict())
    for name in absent:
        for value in COMPONENTS[name]:
            assert design.changed(**{name: value}) == design


@given(designs, designs)
def test_distance_is_a_distance(one, other):
    assert distance(one, one) == 0
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) > 0) == (one != other)
    assert distance(one, other) <= 1


@given(designs, designs, designs)
def test_the_triangle(one, other, third):
    assert distance(one, third) <= distance(one, other) + distance(other, third) + 1e-12


def test_costs_in_epochs():
    assert Design().cost == 2
    assert Design(epochs=1, members=3).cost == 3
    assert Design(epochs=2, generations=1).cost == pytest.approx(4.3)
    assert Design(select="confident", share=0.5).cost == 1
    assert Design(curriculum="confident_first").cost == 3


@given(designs)
def test_more_members_cost_more(design):
    assert design.changed(members=3).cost > design.changed(members=1).cost


def test_what_is_valid():
    assert Design().valid
    assert not Design(epochs=4, members=3, generations=1).valid
    assert Design(epochs=4, members=3, generations=1).cost > MAX_COST
    assert not Design(select="agreement", weighting="agreement").valid


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"signal": "oracle"}, "oracle"),
        ({"labels_of_test": 1}, "labels_of_test"),
        ({"epochs": 2.0}, "epochs"),
        ({"epochs": [2]}, "epochs"),
        ({"members": True}, "members"),
        ({1: 2}, "1"),
        ([], "list"),
    ],
)
def test_strange_designs_are_refused(body, named):
    with pytest.raises(BadInput, match=named):
        Design.from_dict(body)
