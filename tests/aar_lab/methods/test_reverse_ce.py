"""The reverse cross-entropy as a method."""

from __future__ import annotations

import numpy as np
import torch
from tests.aar_lab.methods.recorder import INPUTS, WEAK, recorded

from aar_lab.learners.losses import cross_entropy, reverse_cross_entropy
from aar_lab.methods import reverse_ce


def test_it_trains_once_on_the_probabilities_with_its_own_loss() -> None:
    task, made = recorded()
    reverse_ce.train(task, np.random.default_rng(0), reverse_ce.Args(epochs=3, rate=0.01))
    ((inputs, targets, plan),) = made[0].fits
    assert inputs is INPUTS
    assert targets.tolist() == WEAK.probs.tolist()
    assert (plan.epochs, plan.rate, plan.loss) == (3, 0.01, reverse_cross_entropy)


def test_it_seeks_a_mode_where_cross_entropy_keeps_the_doubt() -> None:
    """At f = p_w = 0.7 the forward gradient is zero; the reverse one still drives f up."""
    pulls = []
    for loss in (cross_entropy, reverse_cross_entropy):
        logit = torch.tensor([np.log(0.7 / 0.3)], requires_grad=True)
        target = torch.tensor([0.7], dtype=torch.float64)
        loss(logit, target, torch.ones(1), 0.0).backward()
        assert logit.grad is not None
        pulls.append(logit.grad.item())
    assert abs(pulls[0]) < 1e-9
    assert pulls[1] < -0.05
