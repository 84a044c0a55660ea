"""Zero-shot margins made consistent, and what the student is fitted on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.aar_lab.methods.recorder import WEAK, Recorder, recorded
from tests.tiny import PROBLEM

from aar_lab.errors import BadInput
from aar_lab.methods import ue_zero_shot
from aar_lab.methods.base import Effort, Rng, Task
from aar_lab.types import FloatArray, Inputs, WeakLabels

CYCLE = (("ask", "good", "fine"), ("ask", "fine", "poor"), ("ask", "poor", "good"))


def task_of(*pairs: tuple[str, str, str], answer: int | None = None) -> Task:
    """Pairs (prompt, a, b); the weak labels are of no account."""
    ids = tuple(str(i) for i in range(len(pairs)))
    rows = tuple(dict(zip(("prompt", "a", "b"), pair, strict=True)) for pair in pairs)
    weak = WeakLabels(ids, np.full(len(ids), 0.5))
    return Task(Inputs(ids, rows), weak, Recorder, replace(PROBLEM.formats, answer=answer))


def consistent(task: Task, *margins: float) -> list[float]:
    return pytest.approx(ue_zero_shot.consistent(task, np.array(margins)).tolist())  # type: ignore[return-value]


def test_a_cycle_is_resolved_by_least_squares() -> None:
    """The margins of a cycle must add up to 0; 2 + 2 + 0 exceed it by 4, a third for each."""
    assert consistent(task_of(*CYCLE), 2, 2, 0) == [2 / 3, 2 / 3, -4 / 3]


def test_margins_without_contradiction_stay_as_they_are() -> None:
    assert consistent(task_of(*CYCLE), 2, 1, -3) == [2, 1, -3]


def test_a_pair_and_its_mirror_image_get_opposite_margins() -> None:
    assert consistent(task_of(("ask", "good", "bad"), ("ask", "bad", "good")), 3, -1) == [2, -2]


def test_an_alternative_is_judged_anew_under_another_prompt() -> None:
    assert consistent(task_of(("ask", "good", "bad"), ("of", "bad", "good")), 3, -1) == [3, -1]


def test_alternatives_with_the_same_answer_share_their_score() -> None:
    pairs = ("ask", "fine good", "poor bad"), ("ask", "good", "bad")
    assert consistent(task_of(*pairs), 3, 1) == [3, 1], "their texts differ"
    assert consistent(task_of(*pairs, answer=-1), 3, 1) == [2, 2]


def test_alternatives_that_agree_are_equally_good() -> None:
    pairs = ("ask", "fine good", "good"), ("ask", "good", "bad")
    assert consistent(task_of(*pairs, answer=-1), 5, 1) == [0, 1]


@given(st.lists(st.floats(-9, 9), min_size=3, max_size=3))
def test_what_is_consistent_stays_so_and_the_first_three_add_up(margins: list[float]) -> None:
    task = task_of(*CYCLE)
    once = ue_zero_shot.consistent(task, np.array(margins))
    assert once.sum() == pytest.approx(0, abs=1e-8)
    assert ue_zero_shot.consistent(task, once) == pytest.approx(once, abs=1e-8)


class Opinionated(Recorder):
    """A recorder with two templates, whose margins for the i-th example are i and i + 2."""

    templates: int = 2

    def zero_shot(self, inputs: Inputs, template: int = 0) -> FloatArray:
        return np.arange(len(inputs)) + 2.0 * template


def fitted(args: ue_zero_shot.Args) -> tuple[Inputs, FloatArray]:
    task, _ = recorded()
    student = Opinionated(templates=2)
    ue_zero_shot.train(replace(task, student=lambda: student), rng(), args)
    inputs, targets, _ = student.fits[0]
    return inputs, targets


def rng() -> Rng:
    return np.random.default_rng(0)


def test_all_templates_count_alike() -> None:
    task, _ = recorded()
    found = ue_zero_shot.mean_margins(Opinionated(templates=2), task.inputs)
    assert found.tolist() == (np.arange(len(task.inputs)) + 1.0).tolist()


def test_hard_labels_are_balanced_whatever_the_margins_lean_to() -> None:
    _, targets = fitted(ue_zero_shot.Args())
    assert set(targets) <= {0, 0.5, 1}
    assert targets.mean() == 0.5


def test_soft_labels_keep_the_order_of_the_margins() -> None:
    _, hard = fitted(ue_zero_shot.Args())
    _, soft = fitted(ue_zero_shot.Args(soft=True))
    assert len(set(soft)) > 3
    assert np.array_equal(soft > 0.5, hard > 0.5)


def test_both_orders_are_trained_on_if_asked_for() -> None:
    inputs, targets = fitted(ue_zero_shot.Args(both_orders=True, epochs=3))
    assert len(inputs) == len(targets) == 2 * len(WEAK.ids)
    assert ue_zero_shot.effort(ue_zero_shot.Args(both_orders=True, epochs=3)) == Effort(3, True)
    assert ue_zero_shot.effort(ue_zero_shot.Args()) == Effort(2, False)


def test_weak_labels_are_not_read() -> None:
    task, made = recorded()
    ue_zero_shot.train(task, rng())
    other = WeakLabels(task.inputs.ids, 1 - task.weak.probs)
    ue_zero_shot.train(replace(task, weak=other), rng())
    assert made[0].fits[0][1].tolist() == made[1].fits[0][1].tolist()


def test_without_alternatives_there_is_nothing_to_make_consistent() -> None:
    task, _ = recorded()
    with pytest.raises(BadInput, match="no alternatives"):
        ue_zero_shot.train(replace(task, formats=None), rng())
