"""The pretrained student, asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK
from tests.tiny import ARCH, PROBLEM, factory, random_weights

from aar_lab.errors import BadInput
from aar_lab.experiment.students import infer
from aar_lab.learners.gpt import Gpt
from aar_lab.methods import zero_shot
from aar_lab.methods.base import Effort, Task
from aar_lab.problems.bundle import Formats
from aar_lab.problems.rows import RowWriter


def test_it_answers_what_the_first_pretraining_format_elicits() -> None:
    student = zero_shot.train(Task(INPUTS, WEAK, factory()), np.random.default_rng(0))
    margins = factory()().zero_shot(INPUTS)
    assert infer(factory(), student, INPUTS).probs == pytest.approx(1 / (1 + np.exp(-margins)))


def test_it_leaves_the_pretrained_weights_alone() -> None:
    (member,) = zero_shot.train(Task(INPUTS, WEAK, factory()), np.random.default_rng(0)).members
    assert all(np.array_equal(member[name], value) for name, value in random_weights(ARCH).items())


def test_without_a_pretraining_format_there_is_nothing_to_ask_in() -> None:
    bare = replace(PROBLEM, formats=Formats(task=PROBLEM.formats.task, swap=("a", "b")))
    task = Task(INPUTS, WEAK, lambda: Gpt(ARCH, random_weights(ARCH), RowWriter(bare)))
    with pytest.raises(BadInput, match="0 pretraining formats: nothing to ask in"):
        zero_shot.train(task, np.random.default_rng(0))


def test_nothing_is_trained_and_so_no_ceiling_is_matched() -> None:
    assert zero_shot.effort(zero_shot.Args()) == Effort(0)
