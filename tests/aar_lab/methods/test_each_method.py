"""What one method does and another does not."""

from __future__ import annotations

import numpy as np
import pytest
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded
from tests.tiny import factory

from aar_lab.errors import BadIds, EmptySelection, UnknownName
from aar_lab.experiment.students import infer
from aar_lab.learners.losses import LogConf, cross_entropy
from aar_lab.methods import (
    NAMES,
    all_methods,
    confident,
    get_method,
    logconf,
    naive,
    self_distill,
    soft,
)
from aar_lab.methods.base import Effort, Rng, Task, hard_labels
from aar_lab.types import FloatArray, Student, WeakLabels


def rng() -> Rng:
    return np.random.default_rng(0)


def test_hard_labels_favour_neither_class() -> None:
    assert hard_labels(np.array([0, 0.49, 0.5, 0.51, 1])).tolist() == [0, 0, 0.5, 1, 1]


def test_naive_trains_once_on_hard_labels() -> None:
    task, made = recorded()
    naive.train(task, rng(), naive.Args(epochs=3, rate=0.01))
    ((inputs, targets, plan),) = made[0].fits
    assert inputs is INPUTS
    assert targets.tolist() == (WEAK.probs > 0.5).tolist()
    assert (plan.epochs, plan.rate, plan.loss) == (3, 0.01, cross_entropy)


def test_soft_trains_on_the_probabilities() -> None:
    task, made = recorded()
    soft.train(task, rng())
    assert made[0].fits[0][1].tolist() == WEAK.probs.tolist()


def test_logconf_trains_on_the_probabilities_with_its_own_loss() -> None:
    task, made = recorded()
    logconf.train(task, rng(), logconf.Args(alpha=0.3))
    _, targets, plan = made[0].fits[0]
    assert targets.tolist() == WEAK.probs.tolist()
    assert isinstance(plan.loss, LogConf)
    assert plan.loss.most == 0.3


def test_logconf_without_its_loss_is_soft() -> None:
    task = Task(INPUTS, WEAK, factory())

    def answers(student: Student) -> FloatArray:
        return infer(factory(), student, INPUTS).probs

    plain = answers(soft.train(task, rng()))
    assert np.array_equal(answers(logconf.train(task, rng(), logconf.Args(alpha=0))), plain)
    assert not np.array_equal(answers(logconf.train(task, rng())), plain)


@pytest.mark.parametrize("threshold", [0.6, 0.75, 0.9])
def test_confident_keeps_what_is_surer_than_its_threshold(threshold: float) -> None:
    task, made = recorded()
    confident.train(task, rng(), confident.Args(threshold=threshold))
    inputs, targets, _ = made[0].fits[0]
    sure = [
        (name, float(p > 0.5))
        for name, p in zip(INPUTS.ids, WEAK.probs, strict=True)
        if max(p, 1 - p) > threshold
    ]
    assert 0 < len(sure) < len(INPUTS)
    assert list(zip(inputs.ids, targets, strict=True)) == sure


def test_confident_says_how_sure_the_surest_label_is() -> None:
    unsure = WeakLabels(INPUTS.ids, np.full(len(INPUTS), 0.3))
    with pytest.raises(EmptySelection, match=r"0\.700"):
        confident.train(recorded(unsure)[0], rng())


@pytest.mark.parametrize(("generations", "folds"), [(1, 2), (2, 3)])
def test_self_distill_never_predicts_what_it_was_fitted_on(generations: int, folds: int) -> None:
    task, made = recorded()
    args = self_distill.Args(generations=generations, folds=folds)
    self_distill.train(task, rng(), args)
    *crossed, last = made
    assert len(crossed) == generations * folds
    for learner in crossed:
        fitted, shown = set(learner.fits[0][0].ids), set(learner.shown[0].ids)
        assert not fitted & shown
        assert fitted | shown == set(INPUTS.ids)
    assert last.fits[0][0] is INPUTS


def test_self_distill_fits_the_last_student_on_out_of_fold_predictions() -> None:
    task, made = recorded()
    self_distill.train(task, rng())
    expected = {}
    for learner in made[:2]:
        mean = learner.fits[0][1].mean()
        expected |= {name: mean for name in learner.shown[0].ids}
    inputs, targets, _ = made[2].fits[0]
    assert targets.tolist() == [expected[name] for name in inputs.ids]


# --- task and registry ------------------------------------------------------------------------


def test_a_task_puts_the_weak_labels_into_the_order_of_its_inputs() -> None:
    turned = WeakLabels(WEAK.ids[::-1], WEAK.probs[::-1], seed=7)
    task = Task(INPUTS, turned, factory())
    assert task.weak.ids == INPUTS.ids
    assert task.weak.probs.tolist() == WEAK.probs.tolist()
    assert task.weak.seed == 7


def test_a_task_of_one_example_is_refused() -> None:
    with pytest.raises(BadIds, match="too few"):
        Task(INPUTS.take([0]), WeakLabels(INPUTS.ids[:1], WEAK.probs[:1]), factory())


def test_methods_are_found_by_name() -> None:
    assert tuple(all_methods()) == NAMES
    assert get_method("naive").train is naive.train
    with pytest.raises(UnknownName, match=r"magic: no such method\. Known are: naive, soft"):
        get_method("magic")


def test_a_method_spends_one_fit_unless_it_says_more() -> None:
    assert get_method("soft").effort(soft.Args(epochs=3)) == Effort(3)
