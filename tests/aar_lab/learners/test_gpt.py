"""The CPU student, against the `Learner` protocol."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tiny import ARCH, PROBLEM, examples, factory, random_weights
from torch import Tensor

from aar_lab.digest import digest_bytes
from aar_lab.errors import BadIds, BadInput, BadProbabilities, BadWeights, EmptySelection
from aar_lab.learners.base import Learner, Plan
from aar_lab.learners.gpt import Gpt, checked, read_weights, write_weights
from aar_lab.learners.losses import cross_entropy, reverse_cross_entropy
from aar_lab.problems.rows import RowWriter
from aar_lab.types import FloatArray, Weights

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


def test_a_student_learns_and_reports_the_loss_of_each_epoch() -> None:
    inputs, truth = examples(200, seed=1)
    learner = factory()()
    losses = learner.fit(inputs, truth, rng(), plan=Plan(epochs=8, rate=1e-2))
    assert losses.shape == (8,)
    assert losses[-1] < 0.5 * losses[0]
    fresh, answers = examples(200, seed=2)
    assert np.mean((learner.predict(fresh) > 0.5) == answers) > 0.85


def test_soft_targets_are_met_softly() -> None:
    plan = Plan(epochs=20, rate=1e-2)
    soft, hard = fitted(0.3 + 0.4 * TRUTH, plan), fitted(TRUTH, plan)
    assert np.abs(soft - (0.3 + 0.4 * TRUTH)).mean() < 0.1
    assert np.abs(hard - TRUTH).mean() < 0.1


def test_an_example_of_weight_zero_is_as_good_as_absent() -> None:
    kept = np.arange(len(INPUTS)) % 3 != 0
    plan = replace(PLAN, batch=64)
    flipped = np.where(kept, TRUTH, 1 - TRUTH)
    weighted = fitted(flipped, plan, weights=kept.astype(np.float64))
    learner = factory()()
    learner.fit(INPUTS.take(np.flatnonzero(kept)), TRUTH[kept], rng(), plan=plan)
    assert np.allclose(weighted, learner.predict(INPUTS), atol=1e-5)
    assert not np.allclose(weighted, fitted(flipped, plan), atol=1e-2)


def test_an_example_of_weight_two_counts_like_two_examples() -> None:
    plan = replace(PLAN, batch=64)
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


def test_a_second_fit_goes_on_from_the_first() -> None:
    learner = factory()()
    learner.fit(INPUTS, TRUTH, rng(), plan=PLAN)
    first = learner.predict(INPUTS)
    losses = learner.fit(INPUTS, TRUTH, rng(), plan=replace(PLAN, epochs=1, rate=1e-9))
    assert np.allclose(learner.predict(INPUTS), first, atol=1e-5)
    assert losses[0] == pytest.approx(-np.log(np.where(TRUTH == 1, first, 1 - first)).mean())


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


# --- weights as data --------------------------------------------------------------------------


def test_weights_survive_a_file(tmp_path: Path) -> None:
    learner = factory()()
    learner.fit(INPUTS, TRUTH, rng(), plan=PLAN)
    path = tmp_path / "student.safetensors"
    write_weights(path, learner.save())
    other = factory(seed=1)()
    other.load(read_weights(path))
    assert np.array_equal(other.predict(INPUTS), learner.predict(INPUTS))


def test_saved_weights_do_not_change_with_further_training() -> None:
    learner = factory()()
    saved = learner.save()
    before = {name: value.copy() for name, value in saved.items()}
    learner.fit(INPUTS, TRUTH, rng(), plan=PLAN)
    assert all(np.array_equal(saved[name], before[name]) for name in saved)


def test_students_of_one_factory_share_nothing() -> None:
    make = factory()
    make().fit(INPUTS, TRUTH, rng(), plan=PLAN)
    assert make().predict(INPUTS).tolist() == [0.5] * len(INPUTS)


def test_a_file_that_holds_no_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"\x80\x04pickle")
    for wrong in (path, tmp_path / "absent"):
        with pytest.raises(BadWeights, match="not a safetensors file"):
            read_weights(wrong)


def without_head(weights: dict[str, np.ndarray]) -> None:
    del weights["head.bias"]


def with_stranger(weights: dict[str, np.ndarray]) -> None:
    weights["stranger"] = np.zeros(1, np.float32)


def of_other_shape(weights: dict[str, np.ndarray]) -> None:
    weights["head.weight"] = np.zeros((2, ARCH.width), np.float32)


def of_integers(weights: dict[str, np.ndarray]) -> None:
    weights["head.bias"] = np.zeros(1, np.int32)


def of_complex_numbers(weights: dict[str, np.ndarray]) -> None:
    weights["head.bias"] = np.zeros(1, np.complex64)


def with_nan(weights: dict[str, np.ndarray]) -> None:
    weights["norm.bias"] = np.full(ARCH.width, np.nan, np.float32)


def with_infinity(weights: dict[str, np.ndarray]) -> None:
    weights["norm.bias"] = np.full(ARCH.width, -np.inf, np.float32)


def beyond_float32(weights: dict[str, np.ndarray]) -> None:
    weights["norm.bias"] = np.full(ARCH.width, 1e300)


@pytest.mark.parametrize(
    "spoil",
    [
        without_head,
        with_stranger,
        of_other_shape,
        of_integers,
        of_complex_numbers,
        with_nan,
        with_infinity,
        beyond_float32,
    ],
)
def test_weights_that_do_not_fit_are_refused(
    spoil: Callable[[dict[str, np.ndarray]], None],
) -> None:
    weights: dict[str, np.ndarray] = dict(STRONG)
    spoil(weights)
    with pytest.raises(BadWeights):
        checked(ARCH, weights)
    learner = loaded()
    before = learner.predict(INPUTS)
    with pytest.raises(BadWeights):
        learner.load(weights)
    assert np.array_equal(learner.predict(INPUTS), before)


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_weights_of_another_precision_are_read_as_float32(kind: type[np.floating]) -> None:
    weights: Weights = {name: value.astype(kind) for name, value in STRONG.items()}
    assert {str(t.dtype) for t in checked(ARCH, weights).values()} == {"torch.float32"}


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


def test_a_base_model_of_another_shape_is_refused() -> None:
    with pytest.raises(BadWeights):
        Gpt(replace(ARCH, width=32), random_weights(ARCH), RowWriter(PROBLEM))
