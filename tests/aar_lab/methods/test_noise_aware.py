"""The noise matrix, confident learning, and what the student is then fitted on."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded

from aar_lab.errors import BadInput, EmptySelection
from aar_lab.learners.losses import ForwardCorrection
from aar_lab.methods import noise_aware
from aar_lab.types import WeakLabels


def test_the_noise_is_read_off_the_surest_examples() -> None:
    noisy = np.linspace(0.2, 0.9, 101)
    loss = noise_aware.transition(noisy, 90.0)
    assert loss.given_0 == pytest.approx(0.2 + 0.1 * 0.7)
    assert loss.given_1 == pytest.approx(0.2 + 0.9 * 0.7)


def test_exchanging_the_classes_exchanges_the_noise() -> None:
    noisy = np.random.default_rng(0).random(50)
    one, other = (noise_aware.transition(p, 97.0) for p in (noisy, 1 - noisy))
    assert other.given_0 == pytest.approx(1 - one.given_1)
    assert other.given_1 == pytest.approx(1 - one.given_0)


def test_without_any_contrast_the_noise_is_unknown() -> None:
    with pytest.raises(EmptySelection, match=r"0\.700 to 0\.700"):
        noise_aware.transition(np.full(9, 0.7), 97.0)


def test_confident_learning_drops_a_label_that_is_confidently_contradicted() -> None:
    noisy = np.array([0.05, 0.1, 0.1, 0.15, 0.95, 0.9, 0.9, 0.85, 0.9, 0.1])
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1.0])
    assert noise_aware.undoubted(labels, noisy).tolist() == [0, 1, 2, 3, 5, 6, 7, 8]


def test_forward_fits_out_of_fold_students_and_then_all_with_the_corrected_loss() -> None:
    task, made = recorded()
    args = noise_aware.Args(folds=3)
    noise_aware.train(task, np.random.default_rng(0), args)
    *crossed, last = made
    assert len(crossed) == 3
    assert all(not {*m.fits[0][0].ids} & {*m.shown[0].ids} for m in crossed)
    inputs, targets, plan = last.fits[0]
    assert inputs.ids == INPUTS.ids
    assert targets.tolist() == (WEAK.probs > 0.5).tolist()
    assert isinstance(plan.loss, ForwardCorrection)
    predicted = sorted(m.fits[0][1].mean() for m in crossed)
    assert predicted[0] <= plan.loss.given_0 < plan.loss.given_1 <= predicted[-1]


def test_an_example_whose_label_is_exactly_undecided_is_left_out() -> None:
    probs = WEAK.probs.copy()
    probs[5] = 0.5
    task, made = recorded(WeakLabels(INPUTS.ids, probs))
    noise_aware.train(task, np.random.default_rng(0))
    assert made[-1].fits[0][0].ids == tuple(n for n in INPUTS.ids if n != INPUTS.ids[5])


def test_labels_of_one_class_tell_nothing_of_their_noise() -> None:
    one = WeakLabels(INPUTS.ids, np.full(len(INPUTS), 0.8))
    with pytest.raises(EmptySelection):
        noise_aware.train(recorded(one)[0], np.random.default_rng(0))
    with pytest.raises(BadInput, match="needs two"):
        noise_aware.train(
            recorded(one)[0], np.random.default_rng(0), noise_aware.Args(mode="confident")
        )


def test_another_mode_is_refused() -> None:
    with pytest.raises(BadInput, match="no such mode"):
        noise_aware.train(recorded()[0], np.random.default_rng(0), noise_aware.Args(mode="guess"))
