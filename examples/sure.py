"""Naive on the labels that the weak supervisor is sure of

A weak supervisor errs mostly where it is unsure. What it is sure of is less, but cleaner, and the
student generalises from it to the rest.

Objective: min over f of  Σ CE(f(x), 1[p_w(x) > ½]) over x with |p_w(x) − ½| ≥ margin
Data: the unlabelled training inputs with the weak supervisor's probabilities p_w
Procedure:
    1. Keep the inputs of which the weak supervisor is sure, or all if it is sure of none.
    2. Harden their labels.
    3. Fit a pretrained student once.
Hyper-parameters: margin = 0.2, epochs = 2, rate = 1e-3
"""

from __future__ import annotations

import numpy as np

from aar_lab.learners.base import Plan
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.types import Student

FAMILY = "data filtering"
MARGIN = 0.2


def train(task: Task, rng: Rng) -> Student:
    """A student fitted to the sure labels."""
    sure = np.flatnonzero(np.abs(task.weak.probs - 0.5) >= MARGIN)
    rows = sure if len(sure) else np.arange(len(task.inputs))
    student = task.student()
    plan = Plan(epochs=2, rate=1e-3)
    student.fit(task.inputs.take(rows), hard_labels(task.weak.probs)[rows], rng, plan=plan)
    return Student((student.save(),))
