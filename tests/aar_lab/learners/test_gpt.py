"""The CPU student, against the `Learner` protocol."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tiny import ARCH, PROBLEM, examples, factory, random_weights
from torch import Tensor

from aar_lab.digest import digest_bytes
from aar_lab.errors import BadIds, BadInput, BadProbabilities, BadWeights, EmptySelection
from aar_lab.learners.base import Learner, Plan
from aar_lab.learners.gpt import Gpt, Memory
from aar_lab.learners.losses import cross_entropy, reverse_cross_entropy
from aar_lab.problems.bundle import Formats
from aar_lab.problems.rows import RowWriter
from aar_lab.types import FloatArray

INPUTS, TRUTH = examples(48)
PLAN = Plan(epochs=2, rate=3e-3)
STRONG = random_weights(ARCH, seed=5, head=True)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def fitted(targets: FloatArray = TRUTH, plan: Plan = PLAN, **more: FloatArray) -> FloatArray:
    """Predictions after a fit on all examples."""
    learner: Learner = factory()()
    learner.fit(INPUTS, targets, rng(), plan=plan, **more)
    return learner.predict(INPUTS)


def loaded() -> Gpt:
    """A student with random weights everywhere, the head included."""
    learner = factory()()
    learner.load(STRONG)
    return learner


# --- fit --------------------------------------------------------------------------------------


def test_a_fresh_student_has_no_opinion() -> None:
    assert factory()().predict(INPUTS).tolist() == [0.5] * len(INPUTS)


def test_a_student_learns_and_reports_the_loss_of_each_example_in_each_epoch() -> None:
    inputs, truth = examples(200, seed=1)
    learner = factory()()
    losses = learner.fit(inputs, truth, rng(), plan=Plan(epochs=8, rate=1e-2))
    assert losses.shape == (8, len(inputs))
    assert losses[-1].mean() < 0.5 * losses[0].mean()
    fresh, answers = examples(200, seed=2)
    assert np.mean((learner.predict(fresh) > 0.5) == answers) > 0.75


def test_soft_targets_are_met_softly() -> None:
    plan = Plan(epochs=20, rate=1e-2)
    soft, hard = fitted(0.3 + 0.4 * TRUTH, plan), fitted(TRUTH, plan)
    assert np.abs(soft - (0.3 + 0.4 * TRUTH)).mean() < 0.1
    assert np.abs(hard - TRUTH).mean() < 0.1


def test_an_example_of_weight_zero_is_as_good_as_absent() -> None:
    kept = np.arange(len(INPUTS)) % 3 != 0
    plan = Plan(epochs=4, rate=1e-2, batch=64)
    flipped = np.where(kept, TRUTH, 1 - TRUTH)
    weighted = fitted(flipped, plan, weights=kept.astype(np.float64))
    learner = factory()()
    learner.fit(INPUTS.take(np.flatnonzero(kept)), TRUTH[kept], rng(), plan=plan)
    assert np.allclose(weighted, learner.predict(INPUTS), atol=1e-5)
    assert not np.allclose(weighted, fitted(flipped, plan), atol=1e-2)


def test_an_example_of_weight_two_counts_like_two_examples() -> None:
    plan = Plan(epochs=4, rate=1e-2, batch=64)
    doubled = np.where(np.arange(len(INPUTS)) < 8, 2.0, 1.0)
    rows = [*range(len(INPUTS)), *range(8)]
    data = tuple(INPUTS.data[i] for i in rows)
    repeated = replace(INPUTS, ids=tuple(map(str, range(len(rows)))), data=data)
    learner = factory()()
    learner.fit(repeated, TRUTH[rows], rng(), plan=plan)
    assert np.allclose(fitted(plan=plan, weights=doubled), learner.predict(INPUTS), atol=1e-5)


def test_the_loss_can_be_exchanged_and_is_told_how_far_the_fit_is() -> None:
    seen: list[float] = []

    def spy(logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
        seen.append(done)
        return cross_entropy(logits, targets, weights, done)

    assert np.array_equal(fitted(plan=replace(PLAN, loss=spy)), fitted())
    assert seen == pytest.approx([0, 0.25, 0.5, 0.75])
    other = fitted(plan=replace(PLAN, loss=reverse_cross_entropy))
    assert not np.allclose(other, fitted())


def test_a_loss_may_change_what_it_is_given() -> None:
    def greedy(logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
        return cross_entropy(logits.clamp_(-5, 5), targets, weights, done)

    learner = factory()()
    assert np.isfinite(learner.fit(INPUTS, TRUTH, rng(), plan=replace(PLAN, loss=greedy))).all()


def test_a_second_fit_goes_on_from_the_first() -> None:
    learner = factory()()
    learner.fit(INPUTS, TRUTH, rng(), plan=PLAN)
    first = learner.predict(INPUTS)
    losses = learner.fit(INPUTS, TRUTH, rng(), plan=replace(PLAN, epochs=1, rate=1e-9))
    assert np.allclose(learner.predict(INPUTS), first, atol=1e-5)
    assert losses[0].mean() == pytest.approx(-np.log(np.where(TRUTH == 1, first, 1 - first)).mean())


# --- inference --------------------------------------------------------------------------------


def test_the_swap_view_is_the_complement_of_the_exchanged_example() -> None:
    turned = replace(INPUTS, data=tuple({**r, "a": r["b"], "b": r["a"]} for r in INPUTS.data))
    learner = loaded()
    assert np.allclose(learner.predict(INPUTS, "swap"), 1 - learner.predict(turned))
    assert not np.allclose(learner.predict(INPUTS, "swap"), learner.predict(INPUTS))


def test_predictions_follow_the_order_of_the_inputs() -> None:
    order = rng().permutation(len(INPUTS))
    learner = loaded()
    assert np.allclose(learner.predict(INPUTS.take(order)), learner.predict(INPUTS)[order])


def test_a_view_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadInput, match="mirror"):
        factory()().predict(INPUTS, "mirror")


@pytest.mark.parametrize("layer", [-1, *range(ARCH.layers + 1)])
def test_embeddings_have_the_width_of_the_network(layer: int) -> None:
    found = loaded().embed(INPUTS, layer)
    assert found.shape == (len(INPUTS), ARCH.width)
    assert np.isfinite(found).all()


def test_each_layer_gives_another_embedding() -> None:
    learner = loaded()
    layers = [learner.embed(INPUTS, layer) for layer in (0, 1, 2, -1)]
    for i, first in enumerate(layers):
        for second in layers[i + 1 :]:
            assert not np.allclose(first, second)


@pytest.mark.parametrize("layer", [ARCH.layers + 1, -2])
def test_a_layer_that_does_not_exist_is_refused(layer: int) -> None:
    with pytest.raises(BadInput, match=str(layer)):
        loaded().embed(INPUTS, layer)


def test_zero_shot_ignores_fine_tuning() -> None:
    learner = factory()()
    before = learner.zero_shot(INPUTS)
    learner.fit(INPUTS, TRUTH, rng(), plan=PLAN)
    assert np.array_equal(learner.zero_shot(INPUTS), before)
    assert before.std() > 0.1


def test_zero_shot_is_antisymmetric_in_the_alternatives() -> None:
    turned = replace(INPUTS, data=tuple({**r, "a": r["b"], "b": r["a"]} for r in INPUTS.data))
    learner = loaded()
    assert np.allclose(learner.zero_shot(turned), -learner.zero_shot(INPUTS), atol=1e-6)


# --- determinism ------------------------------------------------------------------------------

FINGERPRINT = "from tests.aar_lab.learners.test_gpt import fingerprint; print(fingerprint())"


def fingerprint() -> str:
    return digest_bytes(fitted(0.2 + 0.5 * TRUTH).tobytes())


def test_the_same_seed_gives_bitwise_identical_predictions_here_and_in_a_fresh_process() -> None:
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        [sys.executable, "-c", FINGERPRINT], cwd=root, capture_output=True, text=True, check=True
    )
    assert fingerprint() == fingerprint() == ran.stdout.strip()


def test_another_seed_gives_another_student() -> None:
    learner = factory()()
    learner.fit(INPUTS, TRUTH, np.random.default_rng(1), plan=PLAN)
    assert not np.array_equal(learner.predict(INPUTS), fitted())


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("targets", [TRUTH[1:], TRUTH + 1, np.full(len(TRUTH), np.nan)])
def test_targets_that_are_no_probabilities_are_refused(targets: FloatArray) -> None:
    with pytest.raises(BadProbabilities):
        fitted(targets)


@pytest.mark.parametrize(
    ("weights", "error"),
    [
        (np.ones(len(TRUTH) - 1), BadIds),
        (-np.ones(len(TRUTH)), BadProbabilities),
        (np.full(len(TRUTH), np.inf), BadProbabilities),
        (np.zeros(len(TRUTH)), EmptySelection),
    ],
)
def test_weights_that_cannot_be_used_are_refused(
    weights: FloatArray, error: type[Exception]
) -> None:
    with pytest.raises(error):
        fitted(weights=weights)


def test_a_fit_that_diverges_says_so() -> None:
    def broken(logits: Tensor, targets: Tensor, weights: Tensor, done: float) -> Tensor:
        return logits.sum() * np.nan

    with pytest.raises(BadWeights, match="diverged"):
        fitted(plan=replace(PLAN, loss=broken))


def test_a_row_longer_than_the_context_is_refused() -> None:
    long = replace(INPUTS, data=tuple({**row, "a": "good " * 20} for row in INPUTS.data))
    with pytest.raises(BadInput, match="context"):
        factory()().predict(long)


@pytest.mark.parametrize(
    "values",
    [{"epochs": 0}, {"epochs": 21}, {"rate": 0.0}, {"rate": 0.2}, {"batch": 0}, {"batch": 1025}],
)
def test_a_plan_out_of_its_limits_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Plan(**values)


def test_views_of_an_embedding_are_the_task_or_one_alternative_alone() -> None:
    learner = loaded()
    turned = replace(INPUTS, data=tuple({**r, "a": r["b"], "b": r["a"]} for r in INPUTS.data))
    assert np.allclose(learner.embed(INPUTS, view="swap"), learner.embed(turned), atol=1e-6)
    first, second = (learner.embed(INPUTS, view=view) for view in ("first", "second"))
    assert np.allclose(learner.embed(turned, view="first"), second, atol=1e-6)
    assert not np.allclose(first, second)


def test_the_elicited_view_asks_the_present_weights() -> None:
    learner = factory()()
    prior = 1 / (1 + np.exp(-learner.zero_shot(INPUTS)))
    assert np.allclose(learner.predict(INPUTS, "elicit"), prior, atol=1e-6)
    learner.fit(INPUTS, TRUTH, rng(), plan=PLAN)
    assert not np.allclose(learner.predict(INPUTS, "elicit"), prior, atol=1e-3)


def test_a_template_that_does_not_exist_is_refused() -> None:
    assert not np.allclose(loaded().zero_shot(INPUTS, 1), loaded().zero_shot(INPUTS))
    with pytest.raises(BadInput, match="template 2"):
        loaded().zero_shot(INPUTS, 2)


def test_a_student_tells_how_many_layers_and_templates_it_has() -> None:
    learner = loaded()
    assert (learner.layers, learner.templates) == (2, 2)
    bare = RowWriter(replace(PROBLEM, formats=Formats(task=PROBLEM.formats.task)))
    assert Gpt(ARCH, random_weights(ARCH), bare).templates == 0


# --- what pretrained students share ------------------------------------------------------------


def test_students_of_one_base_share_what_it_says_and_no_more() -> None:
    memory: Memory = {}

    def student() -> Gpt:
        return Gpt(ARCH, random_weights(ARCH, seed=5), RowWriter(PROBLEM), memory)

    alone, first = factory()(), student()
    assert first.embed(INPUTS, 1).tolist() != alone.embed(INPUTS, 1).tolist()
    asked = [first.embed(INPUTS, layer, view) for layer in (1, -1) for view in ("plain", "first")]
    asked += [first.zero_shot(INPUTS, template) for template in range(first.templates)]
    held = len(memory)
    assert held == len(asked)
    second = student()
    again = [second.embed(INPUTS, layer, view) for layer in (1, -1) for view in ("plain", "first")]
    again += [second.zero_shot(INPUTS, template) for template in range(first.templates)]
    assert all(np.array_equal(one, two) for one, two in zip(asked, again, strict=True))
    assert len(memory) == held
    other = second.embed(INPUTS.take(range(9)), 1)
    assert other.shape == (9, ARCH.width)
    assert len(memory) == held + 1


def test_what_was_fitted_or_loaded_is_never_remembered() -> None:
    memory: Memory = {}
    learner = Gpt(ARCH, random_weights(ARCH, seed=5), RowWriter(PROBLEM), memory)
    before = learner.embed(INPUTS)
    learner.fit(INPUTS, TRUTH, rng(), plan=PLAN)
    assert not np.allclose(learner.embed(INPUTS), before, atol=1e-3)
    learner.load(STRONG)
    learner.embed(INPUTS)
    assert len(memory) == 1


def test_an_answer_changed_by_its_reader_is_remembered_as_it_was() -> None:
    memory: Memory = {}
    learner = Gpt(ARCH, random_weights(ARCH, seed=5), RowWriter(PROBLEM), memory)
    first = learner.zero_shot(INPUTS)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(learner.zero_shot(INPUTS), kept)
