"""Complexity counts what a method does, not how it is written down."""

from __future__ import annotations

from importlib.resources import files

import pytest

from aar_host.studies.complexity import complexity_of
from aar_lab.errors import BadSource

PLAIN = '''"""A title"""
from aar_lab.types import Student


def train(task, rng):
    student = task.student()
    student.fit(task.inputs, task.weak.probs > 0.5, rng)
    return Student((student.save(),))
'''
REWORDED = '''"""Another title, and more words about it.

And an idea that takes long to tell.
"""
from aar_lab.types import Student

FAMILY = "other"


def train(problem: object, draws: object) -> Student:
    """What this does."""
    # A remark.
    pupil = problem.student()
    pupil.fit(problem.inputs, problem.weak.probs > 0.5, draws)
    return Student((pupil.save(),))
'''
ODD = '''

def oddity(matrix, depth):
    """Code as no registered method has it."""
    held = {}
    while depth and matrix.trace() < 17:
        depth, matrix = depth - 3, matrix.T @ matrix ** depth
        held[depth] = sorted((row[::-1], len(held)) for row in matrix if row.any())
    return lambda left: [held.pop(key, left) for key in tuple(held) if key % 5]
'''


def registered(name: str) -> str:
    """The source of a registered method."""
    return files("aar_lab.methods").joinpath(f"{name}.py").read_text(encoding="utf-8")


def test_words_names_and_annotations_count_for_nothing():
    assert complexity_of(PLAIN) == complexity_of(REWORDED)


def test_more_code_is_more_complex():
    plain, odd = complexity_of(PLAIN), complexity_of(PLAIN + ODD)
    assert odd.nodes > plain.nodes
    assert odd.description > plain.description + 100


def test_what_is_registered_costs_little_to_describe():
    known = complexity_of(registered("em_posterior"))
    assert known.description < 0.1 * known.nodes
    assert known.description < complexity_of(PLAIN + ODD).description


def test_components_are_the_families_it_belongs_to():
    counts = {name: complexity_of(registered(name)).components for name in ("naive", "ccs_es")}
    assert counts == {"naive": 0, "ccs_es": 3}


def test_what_is_not_python_is_refused():
    with pytest.raises(BadSource):
        complexity_of("def train(:")


def test_a_source_nested_too_deeply_is_measured_all_the_same():
    deep = complexity_of(PLAIN + "x = " + "+".join("1" * 900) + "\n")
    assert deep.nodes > 1800
    assert deep.description > 0
