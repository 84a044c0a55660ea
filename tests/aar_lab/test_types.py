"""What crosses the boundary: ids, probabilities, recipes, students."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_lab.errors import BadIds, BadProbabilities, BadRecipe
from aar_lab.types import (
    MAX_MEMBERS,
    VIEWS,
    Aggregate,
    Inputs,
    Predictions,
    Recipe,
    Student,
    WeakLabels,
)

IDS = st.lists(st.text(max_size=5), min_size=1, max_size=12, unique=True)
PROBABILITIES = st.floats(0, 1)
OUTSIDE = st.floats().filter(lambda p: not 0 <= p <= 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
RECIPES = st.builds(
    Recipe,
    views=st.lists(st.sampled_from(VIEWS), min_size=1, unique=True).map(tuple),
    members=st.integers(1, MAX_MEMBERS),
    aggregate=st.sampled_from(Aggregate),
    threshold=st.floats(0, 1, exclude_min=True, exclude_max=True),
)


@st.composite
def predictions(draw: st.DrawFn) -> Predictions:
    ids = draw(IDS)
    probs = draw(st.lists(PROBABILITIES, min_size=len(ids), max_size=len(ids)))
    return Predictions(tuple(ids), np.array(probs))


# --- ids --------------------------------------------------------------------------------------


@given(IDS, st.data())
def test_a_repeated_id_is_refused_by_name(ids: list[str], data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(ids))
    rows = data.draw(st.permutations([*ids, twice]))
    with pytest.raises(BadIds) as caught:
        Inputs(tuple(rows), tuple({} for _ in rows))
    assert caught.value.value == repr(twice)


def test_no_example_is_no_input() -> None:
    with pytest.raises(BadIds, match="no example"):
        Inputs((), ())


def test_each_example_has_one_id() -> None:
    with pytest.raises(BadIds, match="2 ids, 1 examples"):
        Inputs(("a", "b"), ({},))


def test_take_follows_the_order_of_the_rows() -> None:
    inputs = Inputs(("a", "b", "c"), ({"t": "0"}, {"t": "1"}, {"t": "2"}))
    taken = inputs.take([2, 0])
    assert taken.ids == ("c", "a")
    assert taken.data == ({"t": "2"}, {"t": "0"})
    with pytest.raises(BadIds):
        inputs.take([1, 1])


# --- probabilities ----------------------------------------------------------------------------


@given(predictions(), OUTSIDE, st.data())
def test_a_value_outside_0_to_1_is_refused_wherever_it_stands(
    good: Predictions, bad: float, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(good.ids) - 1))
    probs = good.probs.copy()
    probs[at] = bad
    with pytest.raises(BadProbabilities, match=f"position {at}:"):
        Predictions(good.ids, probs)


@pytest.mark.parametrize("probs", [[], [0.5], [0.5] * 3, [[0.5], [0.5]], 0.5])
def test_a_wrong_number_of_probabilities_is_refused(probs: Any) -> None:
    with pytest.raises(BadProbabilities, match="shape"):
        Predictions(("a", "b"), np.array(probs))


def test_probabilities_are_a_copy_that_nobody_can_write_to() -> None:
    mine = np.array([0.1, 0.9])
    found = WeakLabels(("a", "b"), mine, seed=3)
    mine[0] = 0.7
    assert found.probs.tolist() == [0.1, 0.9]
    with pytest.raises(ValueError, match="read-only"):
        found.probs[0] = 1.0


@given(predictions(), st.data())
def test_alignment_follows_the_ids_whatever_the_order(
    found: Predictions, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(found.ids))))
    shuffled = Predictions(tuple(found.ids[i] for i in order), found.probs[list(order)])
    assert shuffled.aligned(found.ids).tolist() == found.probs.tolist()


@given(predictions(), st.text(min_size=6, max_size=8))
def test_alignment_refuses_a_foreign_a_missing_and_an_extra_id(
    found: Predictions, foreign: str
) -> None:
    for wanted in ((foreign, *found.ids[1:]), found.ids[1:], (*found.ids, foreign)):
        with pytest.raises(BadIds):
            found.aligned(wanted)


# --- recipes ----------------------------------------------------------------------------------


@given(RECIPES)
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    assert Recipe.from_dict(recipe.as_dict()) == recipe


@given(JSON)
def test_arbitrary_json_is_a_recipe_or_a_bad_recipe(body: Any) -> None:
    try:
        Recipe.from_dict(body)
    except BadRecipe:
        return
    assert body == {}


@given(st.dictionaries(st.sampled_from(["views", "members", "aggregate", "threshold"]), JSON))
def test_arbitrary_values_of_known_fields_are_a_recipe_or_a_bad_recipe(body: Any) -> None:
    try:
        recipe = Recipe.from_dict(body)
    except BadRecipe:
        return
    assert {k: recipe.as_dict()[k] for k in body} == body


@given(RECIPES, st.text(max_size=10), JSON)
def test_an_unknown_field_is_refused_by_name(recipe: Recipe, name: str, value: Any) -> None:
    body = {name: value} | recipe.as_dict()
    if name not in recipe.as_dict():
        with pytest.raises(BadRecipe, match="unknown field"):
            Recipe.from_dict(body)


@pytest.mark.parametrize(
    "body",
    [
        {"threshold": 10**400},
        {"threshold": math.nan},
        {"threshold": 0},
        {"threshold": 1.0},
        {"threshold": True},
        {"members": 0},
        {"members": MAX_MEMBERS + 1},
        {"members": 1.0},
        {"members": True},
        {"members": 10**400},
        {"views": []},
        {"views": "plain"},
        {"views": ["plain", "plain"]},
        {"views": ["mirror"]},
        {"views": [["plain"]]},
        {"aggregate": ["mean"]},
        {"aggregate": "max"},
    ],
    ids=lambda body: str(next(iter(body))),
)
def test_values_out_of_range_are_bad_recipes(body: dict[str, Any]) -> None:
    with pytest.raises(BadRecipe):
        Recipe.from_dict(body)


@pytest.mark.parametrize(("given_members", "said"), [(0, 1), (1, 2), (3, 2)])
def test_a_student_has_as_many_members_as_its_recipe_says(given_members: int, said: int) -> None:
    with pytest.raises(BadRecipe, match=f"{given_members} weight sets"):
        Student(({},) * given_members, Recipe(members=said))
    assert len(Student(({},) * said, Recipe(members=said)).members) == said
