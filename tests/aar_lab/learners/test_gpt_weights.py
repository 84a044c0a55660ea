"""The CPU student's weights: data that survive a file, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tiny import ARCH, PROBLEM, examples, factory, random_weights

from aar_lab.errors import BadWeights
from aar_lab.learners.base import Plan
from aar_lab.learners.gpt import Gpt, checked, read_weights, write_weights
from aar_lab.problems.rows import RowWriter
from aar_lab.types import Weights

INPUTS, TRUTH = examples(48)
PLAN = Plan(epochs=2, rate=3e-3)
STRONG = random_weights(ARCH, seed=5, head=True)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def loaded() -> Gpt:
    """A student with random weights everywhere, the head included."""
    learner = factory()()
    learner.load(STRONG)
    return learner


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


def test_a_base_model_of_another_shape_is_refused() -> None:
    with pytest.raises(BadWeights):
        Gpt(replace(ARCH, width=32), random_weights(ARCH), RowWriter(PROBLEM))
