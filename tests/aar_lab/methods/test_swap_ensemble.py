"""Several naive students, read in both orders."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded
from tests.tiny import factory

from aar_lab.errors import BadInput
from aar_lab.experiment.students import TRIM, infer
from aar_lab.methods import naive, swap_ensemble
from aar_lab.methods.base import Task, hard_labels
from aar_lab.types import Aggregate, Inputs, Student

TASK = Task(INPUTS, WEAK, factory(), recorded()[0].formats)


def trained(members: int) -> Student:
    args = swap_ensemble.Args(members=members)
    return swap_ensemble.train(TASK, np.random.default_rng(0), args)


def test_every_member_is_a_naive_student_of_its_own() -> None:
    task, made = recorded()
    swap_ensemble.train(task, np.random.default_rng(0), swap_ensemble.Args(members=3))
    assert [learner.fits[0][1].tolist() for learner in made] == [
        hard_labels(WEAK.probs).tolist()
    ] * 3
    first, second = trained(2).members
    assert not np.array_equal(first["head.weight"], second["head.weight"])


def test_its_first_member_is_naive() -> None:
    (alone,) = naive.train(TASK, np.random.default_rng(0)).members
    assert all(np.array_equal(value, alone[name]) for name, value in trained(2).members[0].items())


def test_the_answer_does_not_hang_on_the_order_of_a_pair() -> None:
    student = trained(2)
    assert student.recipe.aggregate is Aggregate.TRIMMED_LOGIT_MEAN
    turned = Inputs(INPUTS.ids, tuple({**row, "a": row["b"], "b": row["a"]} for row in INPUTS.data))
    probs, exchanged = (infer(factory(), student, shown).probs for shown in (INPUTS, turned))
    assert np.allclose(probs, 1 - exchanged, atol=1e-6)


def test_by_default_some_answer_is_trimmed() -> None:
    answers = 2 * swap_ensemble.Args().members
    assert int(TRIM * answers) >= 1 > int(TRIM * (answers - 2))


def test_an_example_without_alternatives_has_no_second_order() -> None:
    with pytest.raises(BadInput, match="no alternatives"):
        swap_ensemble.train(Task(INPUTS, WEAK, factory()), np.random.default_rng(0))
