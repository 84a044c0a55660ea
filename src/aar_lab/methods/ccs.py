"""Contrast-consistent search: a truth direction found without labels, distilled into a student.

    min over θ, b of  mean (p⁺ + p⁻ − 1)² + min(p⁺, p⁻)²,   p± = σ(θ·φ± + b)
    p(y = 1) = ½ (p⁺ + 1 − p⁻)

φ⁺ and φ⁻ are the states of the pretrained student on the two claims of a contrast pair, each side
normalised by itself. The probe of lowest loss over layers and restarts is kept. A direction has no
sign: the side that agrees with the majority of the hard weak labels is called true, and that is all
that the weak labels are asked for. Burns et al. 2022, arXiv 2212.03827.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from aar_lab.errors import EmptySelection
from aar_lab.learners.base import Learner, Plan
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.types import FloatArray, Student

FAMILY = "model internals"


@dataclass(frozen=True)
class Args:
    """Views of the two claims: ("plain", "swap"), the pair in both orders, or ("first", "second"),
    each alternative alone; restarts ≥ 1 and iterations ≥ 1 of a probe; epochs and peak rate."""

    views: tuple[str, str] = ("plain", "swap")
    restarts: int = 2
    iterations: int = 60
    epochs: int = 2
    rate: float = 1e-3


def contrast_loss(
    theta: FloatArray, true: FloatArray, false: FloatArray
) -> tuple[float, FloatArray]:
    """The loss of the module and its gradient at theta = (direction, bias), shape (width + 1,).

    `true` and `false` are φ⁺ and φ⁻, shape (n, width).
    """
    p, q = _answers(theta, true), _answers(theta, false)
    gap, least = p + q - 1, np.minimum(p, q)
    by_p = 2 * (gap + least * (p < q)) * p * (1 - p) / len(p)
    by_q = 2 * (gap + least * (p >= q)) * q * (1 - q) / len(q)
    gradient = np.append(by_p @ true + by_q @ false, by_p.sum() + by_q.sum())
    return float((gap**2 + least**2).mean()), gradient


def _answers(theta: FloatArray, states: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(states @ theta[:-1] + theta[-1], -30, 30))))


def _normalised(states: FloatArray) -> FloatArray:
    return np.asarray((states - states.mean(axis=0)) / (states.std(axis=0) + 1e-6))


def believed(task: Task, student: Learner, rng: Rng, args: Args) -> FloatArray:
    """P(y = 1) by the probe of lowest loss, signed by the weak labels, shape (n,)."""
    lowest, found = np.inf, np.full(len(task.inputs), 0.5)
    for layer in range(1, student.layers + 1):
        sides = [_normalised(student.embed(task.inputs, layer, view)) for view in args.views]
        for _ in range(args.restarts):
            start = rng.normal(size=sides[0].shape[1] + 1)
            start /= np.linalg.norm(start)
            done = minimize(
                contrast_loss,
                start,
                args=tuple(sides),
                method="L-BFGS-B",
                jac=True,
                options={"maxiter": args.iterations},
            )
            if done.fun < lowest:
                lowest = done.fun
                found = (_answers(done.x, sides[0]) + 1 - _answers(done.x, sides[1])) / 2
    return found if agreement(found, task.weak.probs) > 0 else 1 - found


def agreement(found: FloatArray, weak: FloatArray) -> float:
    """Number of hard weak labels that agree, minus that of those that do not, halved.

    `EmptySelection` if the labels cannot tell the direction's sign: all of one class, or a tie.
    """
    labels = hard_labels(weak)
    balance = float(np.sign(found - 0.5) @ (labels - 0.5))
    if balance == 0 or np.ptp(labels) == 0:
        raise EmptySelection(
            "weak labels", "they favour neither sign of the direction", "Label more examples."
        )
    return balance


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fine-tuned on the probe's probabilities."""
    student = task.student()
    targets = believed(task, student, rng, args)
    plan = Plan(epochs=args.epochs, rate=args.rate)
    student.fit(task.inputs, targets, rng, plan=plan)
    return Student((student.save(),))
