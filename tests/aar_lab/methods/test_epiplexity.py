"""What is learnt of an example, how it is smoothed, and the last fit in both orders."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded

from aar_lab.errors import BadInput
from aar_lab.methods import epiplexity
from aar_lab.methods.base import Effort, Task
from aar_lab.types import FloatArray


def losses() -> dict[str, FloatArray]:
    """Example i is at i in the first epoch, at 1 in the last."""
    return {name: np.array([float(i), 1.0]) for i, name in enumerate(INPUTS.ids)}


@pytest.mark.parametrize("folds", [2, 3])
def test_labels_are_out_of_fold_and_gains_are_of_the_fits_that_saw_the_example(folds: int) -> None:
    task, made = recorded(losses=losses())
    args = epiplexity.Args(folds=folds)
    labels, gains = epiplexity.crossed(task, np.random.default_rng(0), args)
    assert gains == pytest.approx(np.arange(len(INPUTS)) - 1.0)
    assert len(made) == folds
    for learner in made:
        assert not {*learner.fits[0][0].ids} & {*learner.shown[0].ids}
        held = [INPUTS.ids.index(name) for name in learner.shown[0].ids]
        assert labels[held] == pytest.approx(learner.fits[0][1].mean())


def test_the_least_learnt_are_smoothed_most_and_the_rest_not_at_all() -> None:
    gains = np.array([0.4, 0.1, 0.3, 0.2, 0.5])
    found = epiplexity.smoothed(np.full(5, 0.9), gains, share=0.6, gamma=2.0)
    # Ranks 3, 0, 2, 1, 4 of 5; below 0.6 the trust is (rank / 0.6)².
    trust = [1, 0, (0.4 / 0.6) ** 2, (0.2 / 0.6) ** 2, 1]
    assert found == pytest.approx(0.5 + 0.4 * np.array(trust))


def test_a_share_of_zero_smooths_nothing() -> None:
    labels = np.array([0.1, 0.7, 0.9])
    assert epiplexity.smoothed(labels, -labels, 0.0, 2.0) == pytest.approx(labels)


def test_the_last_fit_sees_both_orders_with_complementary_labels() -> None:
    task, made = recorded(losses=losses())
    epiplexity.train(task, np.random.default_rng(0))
    inputs, targets, _ = made[-1].fits[0]
    half = len(INPUTS)
    assert inputs.ids[:half] == INPUTS.ids
    assert targets[half:] == pytest.approx(1 - targets[:half])
    for row, turned in zip(inputs.data[:half], inputs.data[half:], strict=True):
        assert (row["a"], row["b"], row["prompt"]) == (turned["b"], turned["a"], turned["prompt"])


def test_it_can_train_on_one_order_and_then_needs_no_alternatives() -> None:
    task, made = recorded(losses=losses())
    bare = Task(task.inputs, WEAK, task.student)
    epiplexity.train(bare, np.random.default_rng(0), epiplexity.Args(both_orders=False))
    assert made[-1].fits[0][0] is INPUTS
    count = len(made)
    with pytest.raises(BadInput, match="no alternatives"):
        epiplexity.train(bare, np.random.default_rng(0))
    assert len(made) == count, "it says so before it spends a fit"


def test_its_effort_says_whether_it_trains_on_both_orders() -> None:
    assert epiplexity.effort(epiplexity.Args()) == Effort(2, both_orders=True)
    assert epiplexity.effort(epiplexity.Args(epochs=3, both_orders=False)) == Effort(3)


def test_one_epoch_is_refused() -> None:
    with pytest.raises(BadInput, match="two or more"):
        epiplexity.train(recorded()[0], np.random.default_rng(0), epiplexity.Args(epochs=1))
