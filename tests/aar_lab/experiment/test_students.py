"""Students as data: strict reading of hostile bytes, and inference by recipe."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save
from tests.tiny import ARCH, examples, factory, random_weights

from aar_lab.errors import BadRecipe, BadWeights, LabError
from aar_lab.experiment.students import (
    MAX_RECIPE_BYTES,
    RECIPE,
    aggregate,
    infer,
    member_file,
    parse_student,
    parse_weights,
    write_student,
)
from aar_lab.types import Aggregate, Predictions, Recipe, Student, Weights

INPUTS, _ = examples(12)
WEIGHTS = [random_weights(ARCH, seed=seed, head=True) for seed in range(3)]
MEMBER_BYTES = 2**20
ANSWERS = st.integers(1, 16).flatmap(
    lambda k: arrays(np.float64, (k, 4), elements=st.floats(0.001, 0.999))
)


def reader(files: Mapping[str, bytes]) -> Callable[[str, int], bytes]:
    """Reads as the host does: what is absent or too large is a typed error."""

    def read(name: str, most: int) -> bytes:
        if name not in files or len(files[name]) > most:
            raise BadWeights(name, "absent or too large", "Write it.")
        return files[name]

    return read


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def recipe_file(**body: Any) -> dict[str, bytes]:
    return {RECIPE: json.dumps(body).encode()}


def safetensors(header: bytes, length: int | None = None, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


# --- writing and reading ----------------------------------------------------------------------


def test_a_student_survives_its_files(tmp_path: Path) -> None:
    recipe = Recipe(("plain", "swap"), 3, Aggregate.TRIMMED_LOGIT_MEAN, 0.4)
    write_student(tmp_path / "out", Student(tuple(WEIGHTS), recipe))
    found = parse_student(reader(files_of(tmp_path / "out")), MEMBER_BYTES)
    assert found.recipe == recipe
    for mine, theirs in zip(WEIGHTS, found.members, strict=True):
        assert set(mine) == set(theirs)
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine)


def test_a_missing_member_is_refused(tmp_path: Path) -> None:
    write_student(tmp_path, Student(tuple(WEIGHTS[:2]), Recipe(members=2)))
    files = files_of(tmp_path)
    del files[member_file(1)]
    with pytest.raises(BadWeights, match=member_file(1)):
        parse_student(reader(files), MEMBER_BYTES)


def test_a_member_beyond_the_recipe_is_never_read(tmp_path: Path) -> None:
    write_student(tmp_path, Student((WEIGHTS[0],)))
    files = files_of(tmp_path) | {member_file(1): b"rubbish"}
    assert len(parse_student(reader(files), MEMBER_BYTES).members) == 1


def test_the_caps_are_handed_to_the_reader() -> None:
    asked: list[tuple[str, int]] = []
    files = recipe_file(members=2) | {member_file(n): save({}) for n in range(2)}

    def read(name: str, most: int) -> bytes:
        asked.append((name, most))
        return files[name]

    parse_student(read, 1234)
    assert asked == [(RECIPE, MAX_RECIPE_BYTES), (member_file(0), 1234), (member_file(1), 1234)]


# --- hostile recipes --------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_random_bytes_are_no_recipe(content: bytes) -> None:
    with pytest.raises(BadRecipe):
        parse_student(reader({RECIPE: content}), MEMBER_BYTES)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[" * MAX_RECIPE_BYTES,
        b'{"a":' * 800,
        b"\xff\xfe{}",
        b'{"threshold": 1' + b"0" * 400 + b"}",
        b'{"members": 1' + b"0" * 4000 + b"}",
        b'{"threshold": NaN}',
        b'{"threshold": 1e999}',
        b'{"views": ["\\ud800"]}',
        b'{"views": [{}]}',
        b'{"members": 2, "members": 99}',
        b'{"__class__": "Student"}',
        b"null",
        b'"recipe"',
    ],
)
def test_hostile_recipes_are_bad_recipes(content: bytes) -> None:
    with pytest.raises(BadRecipe) as caught:
        parse_student(reader({RECIPE: content}), MEMBER_BYTES)
    assert len(str(caught.value).encode()) < 1000


def test_a_huge_recipe_is_never_parsed() -> None:
    files = {RECIPE: b'{"views": ["plain"]' + b" " * MAX_RECIPE_BYTES + b"}"}
    with pytest.raises(BadWeights, match="too large"):
        parse_student(reader(files), MEMBER_BYTES)


# --- hostile weights --------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_random_bytes_are_no_weights(content: bytes) -> None:
    with pytest.raises(BadWeights):
        parse_weights(content)


@given(st.integers(0, 2**64 - 1), st.data())
def test_weights_with_changed_bytes_are_refused_or_are_plain_tensors(
    length: int, data: st.DataObject
) -> None:
    content = bytearray(save({"a": np.ones(3, np.float32), "b": np.zeros((2, 2), np.float32)}))
    at = data.draw(st.integers(8, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    changed = data.draw(st.sampled_from([bytes(content), safetensors(content[8:], length)]))
    try:
        found = parse_weights(changed)
    except BadWeights:
        return
    assert all(type(value) is np.ndarray for value in found.values())


ONE = b'{"a":{"dtype":"%s","shape":%s,"data_offsets":[0,%d]}}'


@pytest.mark.parametrize(
    "content",
    [
        safetensors(b"{}", length=3),
        safetensors(b"{}", length=2**63),
        safetensors(b"[" * 5000),
        safetensors(b'{"a":' * 5000),
        safetensors(ONE % (b"BF16", b"[1]", 2), data=b"\0\0"),
        safetensors(ONE % (b"F32", b"[9223372036854775808,4]", 0)),
        safetensors(ONE % (b"F32", b"[0,9223372036854775808]", 0)),
        safetensors(ONE % (b"F32", b"[" + b"1," * 99 + b"1]", 4), data=b"\0" * 4),
        safetensors(ONE % (b"F32", b"[-1]", 4), data=b"\0" * 4),
        safetensors(ONE % (b"F32", b"[1]", 4), data=b"\0" * 8),
        b"\x80\x04\x95cposix\nsystem\n",
    ],
    ids=range(11),
)
def test_hostile_weights_are_bad_weights(content: bytes) -> None:
    with pytest.raises(BadWeights):
        parse_weights(content)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_never_reach_a_prediction(value: float) -> None:
    spoilt: Weights = WEIGHTS[0] | {"norm.bias": np.full(ARCH.width, value, np.float32)}
    read = reader(recipe_file() | {member_file(0): save(spoilt)})
    student = parse_student(read, MEMBER_BYTES)
    with pytest.raises(BadWeights, match=r"norm\.bias"):
        infer(factory(), student, INPUTS)


def test_finite_weights_that_overflow_are_a_typed_error() -> None:
    huge = {name: np.full_like(value, 3e38) for name, value in WEIGHTS[0].items()}
    with pytest.raises(LabError):
        infer(factory(), Student((huge,)), INPUTS)


# --- inference --------------------------------------------------------------------------------


def test_every_member_sees_every_view() -> None:
    recipe = Recipe(("plain", "swap"), 2)
    expected = []
    for weights in WEIGHTS[:2]:
        learner = factory()()
        learner.load(weights)
        expected += [learner.predict(INPUTS), learner.predict(INPUTS, "swap")]
    found = infer(factory(), Student(tuple(WEIGHTS[:2]), recipe), INPUTS)
    assert found.ids == INPUTS.ids
    assert np.allclose(found.probs, np.mean(expected, axis=0))


def test_inference_twice_is_bitwise_the_same() -> None:
    student = Student(tuple(WEIGHTS), Recipe(members=3, aggregate=Aggregate.LOGIT_MEAN))
    first, second = (infer(factory(), student, INPUTS) for _ in range(2))
    assert isinstance(first, Predictions)
    assert np.array_equal(first.probs, second.probs)


every_aggregate = pytest.mark.parametrize("how", Aggregate)


@every_aggregate
@given(answers=ANSWERS, seed=st.integers(0, 99))
@settings(max_examples=50)
def test_the_order_of_the_answers_does_not_matter(
    how: Aggregate, answers: np.ndarray, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(answers))
    assert np.allclose(aggregate(answers[order], how), aggregate(answers, how))


@every_aggregate
@given(answers=ANSWERS)
@settings(max_examples=50)
def test_an_aggregate_lies_between_its_answers(how: Aggregate, answers: np.ndarray) -> None:
    found = aggregate(answers, how)
    assert found.shape == (answers.shape[1],)
    assert (found >= answers.min(axis=0) - 1e-9).all()
    assert (found <= answers.max(axis=0) + 1e-9).all()


@every_aggregate
@given(answers=ANSWERS)
@settings(max_examples=50)
def test_the_complement_of_the_answers_gives_the_complement(
    how: Aggregate, answers: np.ndarray
) -> None:
    assert np.allclose(aggregate(1 - answers, how), 1 - aggregate(answers, how))


@every_aggregate
def test_certainties_neither_warn_nor_break(how: Aggregate) -> None:
    found = aggregate(np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]), how)
    assert np.allclose(found, [0, 1, 0.5])


def test_a_trimmed_mean_drops_one_extreme_on_each_side_of_seven() -> None:
    answers = np.array([[1e-12], *[[0.6]] * 5, [1 - 1e-12]])
    shifted = np.array([[0.001], *[[0.6]] * 5, [0.9]])
    for rows in (answers, shifted):
        assert aggregate(rows, Aggregate.TRIMMED_LOGIT_MEAN)[0] == pytest.approx(0.6)
    assert aggregate(shifted, Aggregate.LOGIT_MEAN)[0] < 0.5
    assert aggregate(shifted[:6], Aggregate.TRIMMED_LOGIT_MEAN)[0] < 0.5, "nothing of six"
