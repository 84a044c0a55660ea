"""What holds for the draws of every problem of pairs: reproducible, balanced, and discreet."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from aar_host.problems.base import Draw
from aar_host.problems.registry import PROBLEMS, get_problem
from aar_host.vault import Labels
from aar_lab.problems.rows import RowWriter
from aar_lab.types import Inputs

USUAL = Draw(seed=1, purpose="test", problems=120, pairs=5)
SHIFTED = replace(USUAL, purpose="shifted", shifted=True)
Case = tuple[str, Draw]


@cache
def drawn(case: Case) -> tuple[Inputs, Labels]:
    name, what = case
    return get_problem(name).draw(what)


@pytest.fixture(
    params=[(name, what) for name in PROBLEMS for what in (USUAL, SHIFTED)],
    ids=lambda case: f"{case[0]}-{case[1].purpose}",
)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def test_a_draw_is_a_function_of_world_seed_and_purpose(case: Case) -> None:
    inputs, labels = drawn(case)
    again, same = get_problem(case[0]).draw(case[1])
    assert inputs == again
    assert labels.truth.tolist() == same.truth.tolist()
    assert labels.metadata == same.metadata


@pytest.mark.parametrize(
    ("world", "change"),
    [(None, {"seed": 2}), (None, {"purpose": "train_unlabeled"}), (100, {})],
    ids=["seed", "purpose", "world"],
)
@pytest.mark.parametrize("name", PROBLEMS)
def test_another_seed_purpose_or_world_is_other_data(
    name: str, world: int | None, change: dict[str, str | int]
) -> None:
    inputs, _ = drawn((name, USUAL))
    others, _ = get_problem(name, world=world).draw(replace(USUAL, **change))
    assert not set(inputs.ids) & set(others.ids)
    shared = {tuple(row.items()) for row in inputs.data} & {tuple(r.items()) for r in others.data}
    assert len(shared) < 0.1 * len(inputs)


def test_a_problem_has_as_many_items_as_asked_and_shares_no_prompt(case: Case) -> None:
    inputs, labels = drawn(case)
    assert inputs.ids == labels.ids
    assert len(inputs) == case[1].problems * case[1].pairs
    assert {size % case[1].pairs for size in np.bincount(labels.clusters)} == {0}
    problems: dict[str, str] = {}
    for row, problem in zip(inputs.data, labels.problems, strict=True):
        assert problems.setdefault(row["prompt"], problem) == problem


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_prompt_is_the_same_problem_in_all_draws_of_a_seed(name: str) -> None:
    def named(what: Draw) -> dict[str, str]:
        inputs, labels = drawn((name, what))
        texts = (row["prompt"] for row in inputs.data)
        return dict(zip(texts, labels.problems, strict=True))

    here, there = (
        named(replace(USUAL, problems=300, pairs=1, purpose=purpose))
        for purpose in ("train_labeled", "train_unlabeled")
    )
    common = here.keys() & there.keys()
    assert common
    assert all(here[prompt] == there[prompt] for prompt in common)


def test_the_classes_are_about_balanced(case: Case) -> None:
    truth = drawn(case)[1].truth
    assert set(truth) == {0, 1}
    assert abs(truth.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(truth))


def test_public_inputs_hold_no_metadata(case: Case) -> None:
    inputs, labels = drawn(case)
    assert {frozenset(row) for row in inputs.data} == {frozenset({"prompt", "a", "b"})}
    shown = set(" ".join(" ".join(row.values()) for row in inputs.data).split())
    assert not {source for row in labels.metadata for source in row["sources"]} & shown
    assert not set(labels.problems) & shown


def test_ids_say_nothing_about_problem_or_label(case: Case) -> None:
    inputs, labels = drawn(case)
    assert all(re.fullmatch(r"[0-9a-f]{16}", name) for name in inputs.ids)
    numbers = np.array([int(name, 16) for name in inputs.ids], dtype=np.float64)
    for hidden in (labels.truth, labels.clusters):
        assert abs(np.corrcoef(numbers, hidden)[0, 1]) < 4 / np.sqrt(len(numbers))


def test_every_format_fits_the_vocabulary_and_the_context(case: Case) -> None:
    problem = get_problem(case[0]).public()
    writer, (inputs, _) = RowWriter(problem), drawn(case)
    rows = writer.task(inputs)
    for template in range(len(problem.formats.elicit)):
        rows += [row for side in writer.elicit(inputs, template) for row in side]
    assert max(map(len, rows)) <= min(shape["context"] for shape in problem.students.values())


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_shifted_pair_has_a_reply_by_a_source_that_no_usual_pair_has(name: str) -> None:
    (_, usual), (_, shifted) = drawn((name, USUAL)), drawn((name, SHIFTED))
    known = {source for row in usual.metadata for source in row["sources"]}
    assert not usual.shifted.any()
    assert shifted.shifted.all()
    assert all(set(row["sources"]) - known for row in shifted.metadata)


@pytest.mark.parametrize("name", PROBLEMS)
def test_base_weights_are_shipped_for_one_world_alone(name: str) -> None:
    shipped = get_problem(name).base_weights("M")
    assert shipped is not None
    assert (shipped.parent.name, shipped.name) == (name, "M.safetensors")
    assert get_problem(name, world=100).base_weights("M") is None
