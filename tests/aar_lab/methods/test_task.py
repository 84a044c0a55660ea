"""What a task says of the alternatives of its examples."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK
from tests.tiny import PROBLEM, factory

from aar_lab.errors import BadInput
from aar_lab.methods.base import Task
from aar_lab.problems.bundle import Formats


def test_both_orders_are_the_examples_and_their_mirror_images() -> None:
    task = Task(INPUTS, WEAK, factory(), PROBLEM.formats)
    doubled, targets = task.in_both_orders(WEAK.probs)
    size = len(INPUTS)
    assert doubled.ids[:size] == INPUTS.ids
    assert doubled.data[:size] == INPUTS.data
    assert len(set(doubled.ids)) == len(targets) == 2 * size
    for row, mirrored in zip(INPUTS.data, doubled.data[size:], strict=True):
        assert mirrored == {"prompt": row["prompt"], "a": row["b"], "b": row["a"]}
    assert targets[:size].tolist() == WEAK.probs.tolist()
    assert np.allclose(targets[size:], 1 - WEAK.probs)


@pytest.mark.parametrize("formats", [None, Formats(task="{prompt} |")])
def test_a_problem_may_have_no_alternatives(formats: Formats | None) -> None:
    task = Task(INPUTS, WEAK, factory(), formats)
    with pytest.raises(BadInput, match="no alternatives"):
        task.alternatives()
    with pytest.raises(BadInput, match="no alternatives"):
        task.in_both_orders(WEAK.probs)
