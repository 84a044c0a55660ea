"""Correctness matrices: the threshold, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aar_lab.errors import BadInput, BadProbabilities, TooFewSeeds, Undefined
from aar_lab.metrics import Outcomes, correct
from aar_lab.types import FloatArray


def test_a_probability_at_the_threshold_is_class_0() -> None:
    assert correct([0.5, 0.5, 0.6, 0.4], [0, 1, 1, 1]).tolist() == [1, 0, 1, 0]
    assert correct([0.5, 0.7], [1, 1], threshold=0.6).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("probs", "truth"), [([0.5, math.nan], [0, 1]), ([0.5, 2], [0, 1]), ([0.5], [0, 1])]
)
def test_correct_refuses_what_it_cannot_compare(probs: list[float], truth: list[int]) -> None:
    with pytest.raises(BadProbabilities):
        correct(probs, truth)


GOOD = np.tile([0.0, 1.0], (3, 5))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"weak": np.where(GOOD > 0, np.nan, 0)}, BadProbabilities),
        ({"ceiling": GOOD + np.inf}, BadProbabilities),
        ({"transfer": GOOD * 2}, BadProbabilities),
        ({"transfer": GOOD[0]}, BadProbabilities),
        ({"transfer": GOOD[:, :9]}, BadProbabilities),
        ({"transfer": [[0, 1], [0]]}, BadProbabilities),
        ({"ceiling": GOOD[:1]}, TooFewSeeds),
        ({"transfer": GOOD[:2]}, BadInput),
        ({"clusters": np.arange(10) / 2}, BadInput),
        ({"clusters": np.zeros((2, 5), dtype=int)}, BadInput),
        ({"clusters": np.zeros(10, dtype=int)}, Undefined),
    ],
)
def test_outcomes_refuse_what_cannot_be_estimated(
    change: dict[str, FloatArray], kind: type[Exception]
) -> None:
    parts = {"weak": GOOD, "ceiling": GOOD, "transfer": GOOD, "clusters": np.arange(10)}
    with pytest.raises(kind):
        Outcomes(**(parts | change))
