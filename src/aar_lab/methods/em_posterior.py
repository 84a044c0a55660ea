"""The posterior of the truth given prior and weak label, with noise rates learnt per example.

    P(ỹ = 1 | x) = TPR(x) π(x) + FPR(x) (1 − π(x)),   maximised over the rates' parameters
    logit FPR = v·z(x),   logit TPR = v·z(x) + log(1 + exp(u·z(x))),  hence TPR > FPR
    q(x) = P(y = 1 | ỹ, x) ∝ P(ỹ | y = 1, x) π(x),   tempered:  σ(τ logit q)

π = σ(κ·m̄) from the mean standardised margin m̄ of several readings, first of the pretrained student
in all of its templates, later of the student fitted on q in both orders of the pair. z holds the
weak label's confidence, and |m̄|, spread and agreement in sign of the margins: with m̄ itself, the
rates would explain the labels without y. Noise rates by EM: Dawid & Skene 1979; with a model as the
prior: Raykar et al. 2010; for deep students: Khetan et al. 2018, arXiv 1712.04577.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from aar_lab.errors import EmptySelection
from aar_lab.learners.base import Learner, Plan
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.types import FloatArray, Inputs, Student

FAMILY = "unsupervised elicitation"
VIEWS = ("plain", "swap")


@dataclass(frozen=True)
class Args:
    """Rounds ≥ 1, each with one fit; slope κ > 0 of the prior; temper τ in (0, 1]; ridge ≥ 0 on the
    rates' parameters, in units of examples; epochs and peak rate of each fit."""

    rounds: int = 2
    slope: float = 1.5
    temper: float = 1.0
    ridge: float = 10.0
    epochs: int = 2
    rate: float = 1e-3


def elicited(student: Learner, inputs: Inputs) -> FloatArray:
    """Zero-shot margins, one row per template: (k, n); `BadInput` if there is none."""
    return np.stack([student.zero_shot(inputs, t) for t in range(max(1, student.templates))])


def read(student: Learner, inputs: Inputs) -> FloatArray:
    """Log-odds of a fitted student on the pairs in both orders: (2, n)."""
    probs = np.stack([student.predict(inputs, view) for view in VIEWS]).clip(1e-9, 1 - 1e-9)
    return np.asarray(np.log(probs) - np.log1p(-probs))


def features(confidence: FloatArray, margins: FloatArray) -> FloatArray:
    """z: (n, 5), standardised: confidence of the weak label; of the margins (k, n) the size of the
    mean, the spread, and the share that agrees in sign with the mean; and 1."""
    mean = margins.mean(axis=0)
    agreement = (np.sign(margins) == np.sign(mean)).mean(axis=0)
    found = np.stack([confidence, np.abs(mean), margins.std(axis=0), agreement], axis=1)
    spread = found.std(axis=0)
    scaled = (found - found.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    return np.column_stack([scaled, np.ones(len(found))])


def _sigmoid(values: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))))


def rates(parameters: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """TPR and FPR of each example, (n,) each; parameters are (u, v)."""
    gap, base = z @ parameters[: z.shape[1]], z @ parameters[z.shape[1] :]
    return _sigmoid(base + np.logaddexp(0, gap)), _sigmoid(base)


def surprise(
    parameters: FloatArray, z: FloatArray, prior: FloatArray, labels: FloatArray, ridge: float
) -> tuple[float, FloatArray]:
    """−log P(labels) / n plus ridge, and its gradient in (u, v)."""
    tpr, fpr = rates(parameters, z)
    share = np.clip(tpr * prior + fpr * (1 - prior), 1e-9, 1 - 1e-9)
    value = -(labels * np.log(share) + (1 - labels) * np.log(1 - share)).mean()
    slope = (share - labels) / (share * (1 - share)) / len(z)
    by_tpr, by_fpr = slope * prior * tpr * (1 - tpr), slope * (1 - prior) * fpr * (1 - fpr)
    by_u = (by_tpr * _sigmoid(z @ parameters[: z.shape[1]])) @ z
    gradient = np.append(by_u, (by_tpr + by_fpr) @ z) + ridge * parameters / len(z)
    return float(value + ridge * (parameters @ parameters) / (2 * len(z))), gradient


def posterior(weak: FloatArray, margins: FloatArray, args: Args) -> FloatArray:
    """P(y = 1) given the weak labels (n,) and margins (k, n), tempered, shape (n,)."""
    labels, mean = hard_labels(weak), margins.mean(axis=0)
    if np.ptp(labels) == 0:
        raise EmptySelection("weak labels", "all of one class", "Give both classes.")
    prior = _sigmoid(args.slope * (mean - np.median(mean)) / (mean.std() + 1e-9))
    z = features(np.abs(weak - 0.5), margins)
    given = (z, prior, labels, args.ridge)
    done = minimize(surprise, np.zeros(2 * z.shape[1]), given, "L-BFGS-B", jac=True)
    tpr, fpr = rates(done.x, z)
    odds = np.log(prior) - np.log1p(-prior)
    odds += labels * np.log(tpr / fpr) + (1 - labels) * np.log((1 - tpr) / (1 - fpr))
    return _sigmoid(args.temper * odds)


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fitted on the last round's posterior; `BadInput` without pretraining formats,
    `EmptySelection` if all weak labels are of one class."""
    student = task.student()
    margins = elicited(student, task.inputs)
    plan = Plan(epochs=args.epochs, rate=args.rate)
    for round_ in range(args.rounds):
        if round_:
            margins = read(student, task.inputs)
            student = task.student()
        student.fit(task.inputs, posterior(task.weak.probs, margins, args), rng, plan=plan)
    return Student((student.save(),))
