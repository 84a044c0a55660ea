"""The adaptive confidence loss as a method; its equation is tested with the losses."""

from __future__ import annotations

import numpy as np
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded
from tests.tiny import factory

from aar_lab.experiment.students import infer
from aar_lab.learners.losses import AdaptConf
from aar_lab.methods import adaptconf, soft
from aar_lab.methods.base import Task
from aar_lab.types import FloatArray, Student


def test_it_trains_once_on_the_probabilities_with_its_own_loss() -> None:
    task, made = recorded()
    adaptconf.train(task, np.random.default_rng(0), adaptconf.Args(temperature=2.0, warmup=0.1))
    ((inputs, targets, plan),) = made[0].fits
    assert inputs is INPUTS
    assert targets.tolist() == WEAK.probs.tolist()
    assert isinstance(plan.loss, AdaptConf)
    assert (plan.loss.temperature, plan.loss.warmup) == (2.0, 0.1)


def test_it_is_not_soft_labels_by_another_name() -> None:
    task = Task(INPUTS, WEAK, factory())

    def answers(student: Student) -> FloatArray:
        return infer(factory(), student, INPUTS).probs

    own = answers(adaptconf.train(task, np.random.default_rng(0)))
    assert not np.allclose(own, answers(soft.train(task, np.random.default_rng(0))), atol=1e-5)
