"""The score of an example, and the balanced choice by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded

from aar_lab.errors import EmptySelection
from aar_lab.methods import overlap_density
from aar_lab.types import WeakLabels

ARGS = overlap_density.Args(neighbours=3, folds=2)
HALF_ENTROPY = 0.1100278644
"""p with H(p) = ½ ln 2."""


def two_groups(size: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """States in two tight groups, and the label of each."""
    labels = np.arange(size) % 2.0
    rng = np.random.default_rng(0)
    return np.stack([10 * labels, rng.normal(size=size) / 10], axis=1), labels


def test_entropy_is_in_nats_and_its_target_is_half_its_largest_value() -> None:
    assert overlap_density.entropy(np.array([0.5, 0.0, 1.0])) == pytest.approx(
        [np.log(2), 0, 0], abs=1e-9
    )
    assert overlap_density.entropy(np.array([HALF_ENTROPY]))[0] == pytest.approx(np.log(2) / 2)


def test_a_label_that_states_and_neighbours_contradict_scores_least() -> None:
    states, labels = two_groups()
    probs = np.where(labels == 1, 0.8, 0.2)
    probs[6] = 1 - probs[6]
    assert overlap_density.scores(states, probs, ARGS).argmin() == 6


def test_an_outlier_scores_less_than_what_lies_in_a_crowd() -> None:
    states, labels = two_groups()
    states[6] += [0, 8]
    found = overlap_density.scores(states, np.where(labels == 1, 0.8, 0.2), ARGS)
    assert found.argmin() == 6


def test_half_of_the_largest_entropy_scores_best() -> None:
    states, labels = two_groups()
    means = []
    for p in (0.02, HALF_ENTROPY, 0.4):
        confidence = np.where(np.arange(20) < 10, p, 0.3)
        probs = np.where(labels == 1, 1 - confidence, confidence)
        means.append(overlap_density.scores(states, probs, ARGS)[:10].mean())
    assert means[1] == max(means)


def test_standardising_equal_values_gives_zeros() -> None:
    assert overlap_density.standard(np.full(4, 7.0)).tolist() == [0, 0, 0, 0]
    assert overlap_density.standard(np.array([1.0, 3.0])) == pytest.approx([-1, 1])


def test_the_choice_takes_as_many_of_either_class_and_the_best() -> None:
    score = np.array([9, 8, 7, 6, 5, 4, 3, 2.0])
    labels = np.array([1, 1, 1, 1, 1, 0, 0, 0.0])
    assert overlap_density.balanced(score, labels, 0.5).tolist() == [0, 1, 5, 6]
    assert overlap_density.balanced(score, labels, 1.0).tolist() == [0, 1, 2, 3, 5, 6, 7]


def test_it_trains_on_hard_labels_of_both_classes_alike() -> None:
    rng = np.random.default_rng(0)
    task, made = recorded(states={name: rng.normal(size=2) for name in INPUTS.ids})
    overlap_density.train(task, rng, ARGS)
    inputs, targets, _ = made[0].fits[0]
    weak = dict(zip(WEAK.ids, WEAK.probs > 0.5, strict=True))
    assert len(inputs) == len(INPUTS) // 2
    assert targets.tolist() == [weak[name] for name in inputs.ids]
    assert targets.mean() == 0.5


def test_too_few_labels_of_a_class_are_refused() -> None:
    one = WeakLabels(INPUTS.ids, np.full(len(INPUTS), 0.8))
    with pytest.raises(EmptySelection, match="0 weak labels of one class"):
        overlap_density.train(recorded(one)[0], np.random.default_rng(0), replace(ARGS, folds=3))
