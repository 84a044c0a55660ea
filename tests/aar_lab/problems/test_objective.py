"""Objectives: declared from closed lists, the same after JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aar_lab.errors import BadInput
from aar_lab.problems.objective import (
    CEILINGS,
    FLOORS,
    ITEM_SCORES,
    ITEMS,
    PGR,
    Gate,
    Metric,
    Objective,
)

METRICS = st.builds(
    Metric,
    name=st.sampled_from(ITEM_SCORES),
    items=st.sampled_from(ITEMS),
    floor=st.sampled_from(FLOORS),
    weight=st.floats(0.01, 100),
)
GATES = st.builds(
    Gate,
    name=st.sampled_from(ITEM_SCORES),
    items=st.sampled_from(ITEMS),
    anchor=st.sampled_from((*FLOORS, *CEILINGS)),
    tolerance=st.floats(0, 1),
)
OBJECTIVES = st.builds(
    Objective,
    metrics=st.lists(
        METRICS, min_size=1, max_size=4, unique_by=lambda m: (m.name, m.items, m.floor)
    ).map(tuple),
    gates=st.lists(GATES, max_size=3).map(tuple),
)


@given(OBJECTIVES)
def test_an_objective_survives_json(objective: Objective) -> None:
    assert Objective.from_dict(json.loads(json.dumps(objective.as_dict()))) == objective


@given(OBJECTIVES)
def test_its_line_names_every_metric_and_gate(objective: Objective) -> None:
    line = str(objective)
    if objective != PGR:
        for metric in objective.metrics:
            assert f"{metric.name} on {metric.items} items - {metric.floor}" in line
        assert line.count("must reach") == len(objective.gates)


def test_the_default_is_pgr() -> None:
    assert Objective() == PGR
    assert PGR.metrics == (Metric("accuracy", "usual", "weak", "ceiling", 1.0),)
    assert str(PGR).startswith("PGR = (transfer - weak) / (ceiling - weak)")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "f1"},
        {"items": "sealed"},
        {"floor": "ceiling"},
        {"ceiling": "naive"},
        {"weight": 0.0},
        {"weight": -1.0},
        {"weight": math.inf},
        {"weight": math.nan},
    ],
)
def test_a_metric_outside_the_lists_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Metric(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"name": "f1"}, {"items": ""}, {"anchor": "zero"}, {"tolerance": 1.1}]
)
def test_a_gate_outside_the_lists_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Gate(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": ()},
        {"metrics": (Metric(), Metric(weight=2.0))},
        {"composite": "geometric"},
    ],
)
def test_an_objective_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Objective(**wrong)


@pytest.mark.parametrize(
    "body", ["PGR", {}, PGR.as_dict() | {"metrics": [{"code": "x"}]}, PGR.as_dict() | {"gates": 1}]
)
def test_what_is_no_objective_is_refused(body: Any) -> None:
    with pytest.raises(BadInput):
        Objective.from_dict(body)
