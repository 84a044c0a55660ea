"""The contrast loss, and what the search finds in states with a planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from tests.aar_lab.methods.recorder import Recorder
from tests.tiny import examples, factory

from aar_lab.errors import BadInput, EmptySelection
from aar_lab.methods import ccs
from aar_lab.methods.base import Rng, Task
from aar_lab.types import FloatArray, Inputs, WeakLabels

INPUTS, TRUTH = examples(200)
NOTHING = np.zeros((3, 2))


class Planted(Recorder):
    """A recorder whose states hold the truth of the claim, in the second of three layers."""

    layers: int = 3

    def embed(self, inputs: Inputs, layer: int = -1, view: str = "plain") -> FloatArray:
        rng = np.random.default_rng((layer, view == "swap"))
        noise = rng.normal(size=(len(inputs), 4))
        side = (2 * TRUTH - 1) * (-1 if view == "swap" else 1)
        return noise + 9 * np.outer(side, [0, 0, 1, 0]) * (layer == 2)


def rng() -> Rng:
    return np.random.default_rng(0)


def labels(right: float) -> WeakLabels:
    """The first share of the labels is right, the rest wrong."""
    correct = np.arange(len(TRUTH)) < right * len(TRUTH)
    return WeakLabels(INPUTS.ids, np.where((TRUTH == 1) == correct, 0.7, 0.3))


def believed(weak: WeakLabels) -> FloatArray:
    learner = Planted(layers=3)
    return ccs.believed(Task(INPUTS, weak, lambda: learner), learner, rng(), ccs.Args())


def test_the_loss_of_a_probe_that_knows_nothing() -> None:
    """p⁺ = p⁻ = ½: no contradiction, and ½² for want of confidence."""
    value, _ = ccs.contrast_loss(np.zeros(3), NOTHING, NOTHING)
    assert value == 0.25


def test_the_loss_of_a_probe_that_calls_everything_true() -> None:
    value, _ = ccs.contrast_loss(np.array([0, 0, 30.0]), NOTHING, NOTHING)
    assert value == pytest.approx(2.0), "(1 + 1 − 1)² + 1²"


def test_the_loss_of_a_probe_that_is_sure_and_consistent_is_zero() -> None:
    claims = np.array([[1.0, 0.0]])
    value, _ = ccs.contrast_loss(np.array([25.0, 0, 0]), claims, -claims)
    assert value == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 10_000))
def test_the_gradient_is_that_of_the_loss(seed: int) -> None:
    draw = np.random.default_rng(seed)
    true, false = draw.normal(size=(2, 7, 3))
    error = check_grad(
        lambda theta: ccs.contrast_loss(theta, true, false)[0],
        lambda theta: ccs.contrast_loss(theta, true, false)[1],
        draw.normal(size=4),
    )
    assert error < 1e-5


@pytest.mark.parametrize("right", [0.6, 0.9])
def test_it_finds_the_layer_that_holds_the_truth_whatever_the_labels_miss(right: float) -> None:
    assert np.array_equal(believed(labels(right)) > 0.5, TRUTH == 1)


def test_the_majority_of_the_weak_labels_decides_the_sign() -> None:
    assert np.array_equal(believed(labels(0.3)) > 0.5, TRUTH == 0)


@pytest.mark.parametrize("probs", [0.5, 0.9])
def test_labels_that_favour_neither_sign_are_of_no_use(probs: float) -> None:
    with pytest.raises(EmptySelection, match="neither sign"):
        believed(WeakLabels(INPUTS.ids, np.full(len(INPUTS), probs)))


def test_the_student_is_fitted_on_the_probabilities() -> None:
    learner = Planted(layers=3)
    ccs.train(Task(INPUTS, labels(0.8), lambda: learner), rng(), ccs.Args(epochs=3))
    ((inputs, targets, plan),) = learner.fits
    assert inputs is INPUTS
    assert targets.tolist() == believed(labels(0.8)).tolist()
    assert plan.epochs == 3


def test_each_alternative_alone_is_another_contrast_pair() -> None:
    task = Task(INPUTS, labels(0.8), factory())
    pairs = [
        ccs.believed(task, task.student(), rng(), ccs.Args(views=views))
        for views in (("plain", "swap"), ("first", "second"))
    ]
    assert not np.allclose(*pairs)


def test_a_view_that_does_not_exist_is_refused() -> None:
    task = Task(INPUTS, labels(0.8), factory())
    with pytest.raises(BadInput, match="no view"):
        ccs.train(task, rng(), ccs.Args(views=("plain", "sideways")))
