"""What every registered method must keep to; a new one is admitted by passing this file."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from tests.tiny import ARCH, PROBLEM, examples, factory, random_weights, weak_labels

from aar_lab.cards import FAMILIES
from aar_lab.errors import BadIds, BadInput, EmptySelection
from aar_lab.experiment.students import infer
from aar_lab.learners.gpt import Gpt
from aar_lab.methods import NAMES, all_methods, get_method
from aar_lab.methods.base import Effort, Method, Task
from aar_lab.problems.bundle import Formats
from aar_lab.problems.rows import RowWriter
from aar_lab.types import FloatArray, Student, WeakLabels

INPUTS, TRUTH = examples(48)
WEAK = weak_labels(INPUTS, TRUTH)
SHOWN, _ = examples(20, seed=1)

# Laws that speak of weak labels, or of chance, cannot hold of methods that use neither.
LABEL_FREE = {"zero_shot", "ue_zero_shot"}
UNTRAINED = {"zero_shot"}
# Weak labels decide the sign alone, by majority.
ONE_BIT = {"ccs"}
# The pretrained student's own belief is part of the answer, and no label turns it round.
BELIEVING = {"em_posterior"}


@pytest.fixture(params=NAMES)
def method(request: pytest.FixtureRequest) -> Method:
    return get_method(request.param)


def task(weak: WeakLabels = WEAK) -> Task:
    return Task(INPUTS, weak, factory(), PROBLEM.formats)


def trained(method: Method, weak: WeakLabels = WEAK, seed: int = 0) -> Student:
    found = method.train(task(weak), np.random.default_rng(seed))
    assert isinstance(found, Student)
    return found


def answers(student: Student) -> FloatArray:
    return infer(factory(), student, SHOWN).probs


def module_of(method: Method) -> ModuleType:
    return sys.modules[method.train.__module__]


# --- what it does -----------------------------------------------------------------------------


def test_the_same_stream_gives_the_same_student(method: Method) -> None:
    first, second = trained(method), trained(method)
    for one, other in zip(first.members, second.members, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)
    same = np.array_equal(answers(first), answers(trained(method, seed=1)))
    assert same == (method.name in UNTRAINED)


def test_its_members_load_and_it_has_learnt_something(method: Method) -> None:
    probs = answers(trained(method))
    assert probs.shape == (len(SHOWN),)
    assert probs.std() > 0


def test_weak_labels_make_a_difference_unless_it_reads_none(method: Method) -> None:
    sign_only = method.name in ONE_BIT
    other = WeakLabels(INPUTS.ids, 1 - WEAK.probs if sign_only else WEAK.probs[::-1])
    same = np.allclose(answers(trained(method)), answers(trained(method, other)), atol=1e-6)
    assert same == (method.name in LABEL_FREE)


def test_exchanging_the_classes_exchanges_the_answers(method: Method) -> None:
    if method.name in LABEL_FREE | BELIEVING:
        pytest.skip("not all that it learns from is a weak label")
    turned = WeakLabels(INPUTS.ids, 1 - WEAK.probs)
    assert np.allclose(answers(trained(method, turned)), 1 - answers(trained(method)), atol=1e-4)


def test_the_order_of_the_weak_labels_does_not_matter(method: Method) -> None:
    order = np.random.default_rng(3).permutation(len(INPUTS))
    shuffled = WeakLabels(tuple(INPUTS.ids[i] for i in order), WEAK.probs[order])
    assert np.array_equal(answers(trained(method, shuffled)), answers(trained(method)))


def test_labels_of_other_examples_are_refused(method: Method) -> None:
    foreign, truth = examples(len(INPUTS), seed=9)
    with pytest.raises(BadIds):
        trained(method, weak_labels(foreign, truth))
    with pytest.raises(BadIds):
        trained(method, WeakLabels(INPUTS.ids[1:], WEAK.probs[1:]))


def test_without_any_confidence_it_abstains_or_says_that_nothing_is_left(method: Method) -> None:
    unsure = WeakLabels(INPUTS.ids, np.full(len(INPUTS), 0.5))
    try:
        student = trained(method, unsure)
    except EmptySelection:
        return
    assert (method.name in LABEL_FREE) or np.allclose(answers(student), 0.5, atol=1e-3)


def test_labels_of_one_class_give_a_student_or_a_typed_error(method: Method) -> None:
    one_class = WeakLabels(INPUTS.ids, np.linspace(0.6, 0.9, len(INPUTS)))
    try:
        probs = answers(trained(method, one_class))
    except (EmptySelection, BadInput):
        return
    assert np.isfinite(probs).all()


def test_where_examples_have_no_alternatives_it_works_or_says_so(method: Method) -> None:
    bare = replace(PROBLEM, formats=Formats(task=PROBLEM.formats.task))
    weights, writer = random_weights(ARCH), RowWriter(bare)
    given = Task(INPUTS, WEAK, lambda: Gpt(ARCH, weights, writer), bare.formats)
    try:
        student = method.train(given, np.random.default_rng(0))
    except BadInput:
        return
    assert set(student.recipe.views) == {"plain"}


def test_what_it_was_given_is_unchanged(method: Method) -> None:
    base = {name: value.copy() for name, value in random_weights(ARCH).items()}
    rows = copy.deepcopy(INPUTS.data)
    given = Task(INPUTS, WEAK, lambda: Gpt(ARCH, base, RowWriter(PROBLEM)), PROBLEM.formats)
    probs = WEAK.probs.copy()
    method.train(given, np.random.default_rng(0))
    assert INPUTS.data == rows
    assert np.array_equal(WEAK.probs, probs)
    assert all(np.array_equal(value, base[name]) for name, value in random_weights(ARCH).items())


# --- how it is written ------------------------------------------------------------------------


def test_its_file_cites_a_source_and_gives_an_equation(method: Method) -> None:
    text = module_of(method).__doc__ or ""
    assert re.search(r"arXiv\s\d{4}\.\d{4,5}", text), "a citation"
    assert re.search(r"^ {4}\S.*[=(]", text, re.MULTILINE), "an indented equation"
    assert method.summary == text.split("\n", 1)[0]
    assert method.summary.endswith(".")


def test_its_arguments_are_frozen_and_all_have_defaults(method: Method) -> None:
    args = method.args()
    assert dataclasses.is_dataclass(args)
    name = dataclasses.fields(args)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(args, name, getattr(args, name))
    assert inspect.signature(method.train).parameters["args"].default == args


def test_it_belongs_to_a_family_and_is_registered_under_the_name_of_its_file(
    method: Method,
) -> None:
    assert method.family in FAMILIES
    assert all_methods()[module_of(method).__name__.rsplit(".", 1)[-1]] == method


def test_its_effort_is_that_of_a_matched_ceiling(method: Method) -> None:
    effort = method.effort(method.args())
    assert isinstance(effort, Effort)
    assert 0 <= effort.passes <= 20


def test_its_functions_are_short(method: Method) -> None:
    for found in vars(module_of(method)).values():
        if inspect.isfunction(found) and found.__module__ == method.train.__module__:
            assert len(inspect.getsource(found).splitlines()) < 40
    assert list(inspect.signature(method.train).parameters) == ["task", "rng", "args"]
