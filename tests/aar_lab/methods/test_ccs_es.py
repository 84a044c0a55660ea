"""The weights by agreement, the fitness, and the strategy that climbs it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK, Recorder
from tests.tiny import PROBLEM, factory

from aar_lab.errors import BadInput, EmptySelection
from aar_lab.learners.base import Plan
from aar_lab.learners.gpt import Gpt
from aar_lab.methods import ccs_es
from aar_lab.methods.base import Effort, Rng, Task
from aar_lab.types import FloatArray, Inputs, WeakLabels, Weights

ARGS = ccs_es.Args(members=1, generations=2, pairs=2, items=8)


class Answers(Recorder):
    """A recorder with fixed answers: P(y = 1) plainly, and as the view "swap" gives it."""

    def predict(self, inputs: Inputs, view: str = "plain") -> FloatArray:
        return np.array([0.9, 0.5] if view == "plain" else [0.7, 0.1])


def rng() -> Rng:
    return np.random.default_rng(0)


def fitted() -> Gpt:
    learner = factory()()
    learner.fit(INPUTS, WEAK.probs, rng(), plan=Plan(epochs=5))
    return learner


def moved_by(args: ccs_es.Args) -> tuple[Weights, Weights]:
    learner = fitted()
    before = learner.save()
    ccs_es.evolve(learner, INPUTS, rng(), args)
    return before, learner.save()


def test_agreement_takes_the_surer_of_both_and_disagreement_little_of_the_less_sure() -> None:
    direction, weak = np.array([0.9, 0.9, 0.2, 0.6]), np.array([0.6, 0.3, 0.05, 0.5])
    found = ccs_es.agreement_weights(direction, weak, epsilon=0.1)
    assert found == pytest.approx([0.8, 0.1 * 0.4, 0.9, 0])


def test_fitness_wants_answers_that_are_sure_and_the_same_in_both_orders() -> None:
    found = ccs_es.fitness(Answers(), INPUTS.take([0, 1]))
    assert found == pytest.approx(((1 - 0.2) * 0.8 + (1 - 0.4) * 0) / 2)


def test_the_strategy_climbs() -> None:
    learner = fitted()
    before = ccs_es.fitness(learner, INPUTS)
    ccs_es.evolve(learner, INPUTS, rng(), replace(ARGS, generations=4, pairs=4))
    assert ccs_es.fitness(learner, INPUTS) > before


def test_only_the_chosen_matrices_move_and_by_a_matrix_of_low_rank() -> None:
    before, after = moved_by(replace(ARGS, rank=2))
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {"blocks.0.qkv.weight", "blocks.1.qkv.weight"}
    for name in moved:
        assert np.linalg.matrix_rank(after[name] - before[name], tol=1e-5) == 2


def test_without_generations_nothing_moves() -> None:
    before, after = moved_by(replace(ARGS, generations=0))
    assert all(np.array_equal(value, after[name]) for name, value in before.items())


def test_a_step_has_the_size_that_was_asked_for() -> None:
    """Only its direction comes from the fitness, so that it needs no scale of its own."""
    sizes = []
    for step in (0.01, 0.02):
        before, after = moved_by(replace(ARGS, generations=1, step=step))
        name = "blocks.0.qkv.weight"
        sizes.append(float(np.linalg.norm(after[name] - before[name])))
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=1e-3)


def test_matrices_that_do_not_exist_are_refused() -> None:
    with pytest.raises(BadInput, match="no weight's name ends so"):
        moved_by(replace(ARGS, matrices="lora"))


def test_every_pair_is_trained_on_in_both_orders_and_weighs_the_same_in_each() -> None:
    seen: list[tuple[int, FloatArray, FloatArray]] = []

    class Spy(Gpt):
        def fit(
            self,
            inputs: Inputs,
            targets: FloatArray,
            rng: Rng,
            weights: FloatArray | None = None,
            plan: Plan = Plan(),  # noqa: B008  frozen
        ) -> FloatArray:
            assert weights is not None
            seen.append((len(inputs), targets, weights))
            return super().fit(inputs, targets, rng, weights, plan)

    made = factory()()
    task = Task(INPUTS, WEAK, lambda: Spy(made._arch, made._base, made._writer), PROBLEM.formats)
    student = ccs_es.train(task, rng(), replace(ARGS, members=2))
    size = len(INPUTS)
    assert [count for count, _, _ in seen] == [2 * size] * 2
    for _, targets, weights in seen:
        assert np.allclose(targets[size:], 1 - targets[:size])
        assert np.array_equal(weights[size:], weights[:size])
    assert student.recipe.views == ("plain", "swap")
    assert ccs_es.effort(ARGS) == Effort(1, both_orders=True)


def test_labels_of_one_class_cannot_give_the_direction_its_sign() -> None:
    weak = WeakLabels(INPUTS.ids, np.full(len(INPUTS), 0.8))
    with pytest.raises(EmptySelection, match="neither sign"):
        ccs_es.train(Task(INPUTS, weak, factory(), PROBLEM.formats), rng(), ARGS)
