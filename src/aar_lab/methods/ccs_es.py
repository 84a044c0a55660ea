"""Weak labels weighted by their agreement with a truth direction, then an evolution strategy.

    w = max(c_ccs, c_w) where both agree,  ε·min(c_ccs, c_w) where not;   c = |2p − 1|
    min over f of  Σ w CE(f, p_w)  over both orders of every pair, one pass
    max over B of  F = mean (1 − |p − (1 − p_swap)|)·|2p − 1|,   W + B·A in chosen matrices

F rewards answers that are sure and do not hang on the order; it needs no label. B (LoRA's, A fixed
and random) climbs it by antithetic noise. Members differ in order of the data and noise; they are
read in both orders. The find of an automated study (April 2026), scaled down from 16 members;
weights where it resampled. Direction: arXiv 2212.03827. Strategy: Salimans et al. 2017,
arXiv 1703.03864.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aar_lab.errors import BadInput
from aar_lab.learners.base import Learner, Plan
from aar_lab.methods import ccs
from aar_lab.methods.base import Effort, Rng, Task, hard_labels
from aar_lab.types import Aggregate, FloatArray, Inputs, Recipe, Student, Weights

FAMILY = "evolutionary"


@dataclass(frozen=True)
class Args:
    """Weight ε in [0, 1] of examples where direction and label differ; members in 1…8.

    Of the strategy: generations ≥ 0; antithetic pairs ≥ 1 in each; items ≥ 1 that judge; rank ≥ 1;
    suffix of the names of the matrices it moves; noise σ > 0 and step > 0, both relative to a
    matrix' own scale. Of the fit: epochs and peak rate.
    """

    epsilon: float = 0.1
    members: int = 1
    generations: int = 3
    pairs: int = 3
    items: int = 200
    rank: int = 2
    matrices: str = "qkv.weight"
    sigma: float = 0.05
    step: float = 0.05
    epochs: int = 1
    rate: float = 1e-3


def effort(args: Args) -> Effort:
    """What the fit of a member sees."""
    return Effort(args.epochs, both_orders=True)


def agreement_weights(direction: FloatArray, weak: FloatArray, epsilon: float) -> FloatArray:
    """w of the module from P(y = 1) by the direction and by the weak supervisor, shape (n,)."""
    sure = np.abs(2 * np.stack([direction, weak]) - 1)
    agree = hard_labels(direction) == hard_labels(weak)
    return np.asarray(np.where(agree, sure.max(axis=0), epsilon * sure.min(axis=0)))


def fitness(student: Learner, inputs: Inputs) -> float:
    """F of the module; the view "swap" answers 1 − p_swap already."""
    plain, swapped = student.predict(inputs), student.predict(inputs, "swap")
    return float(((1 - np.abs(plain - swapped)) * np.abs(2 * plain - 1)).mean())


def _moved(base: Weights, up: Weights, down: Weights) -> Weights:
    """W + scale(W)·B·A in each matrix that has a B."""
    moved = {name: base[name] + base[name].std() * (up[name] @ down[name]) for name in up}
    return {**base, **moved}


def evolve(student: Learner, inputs: Inputs, rng: Rng, args: Args) -> None:
    """Move the student's weights uphill in fitness; `BadInput` if no matrix has such a name."""
    base = student.save()
    shapes = {name: value.shape for name, value in base.items() if name.endswith(args.matrices)}
    if not shapes:
        raise BadInput(args.matrices, "no weight's name ends so", f"Known are: {', '.join(base)}.")
    scale = args.rank**-0.5
    down = {name: _noise((args.rank, wide), rng) * scale for name, (_, wide) in shapes.items()}
    up = {name: np.zeros((high, args.rank), np.float32) for name, (high, _) in shapes.items()}
    for _ in range(args.generations):
        climb = {name: np.zeros_like(value) for name, value in up.items()}
        for _ in range(args.pairs):
            noise = {name: _noise(value.shape, rng) for name, value in up.items()}
            judged = []
            for sign in (args.sigma, -args.sigma):
                tried = {name: value + sign * noise[name] for name, value in up.items()}
                student.load(_moved(base, tried, down))
                judged.append(fitness(student, inputs))
            for name, value in noise.items():
                climb[name] += np.float32(judged[0] - judged[1]) * value
        size = np.sqrt(np.mean([np.mean(value**2) for value in climb.values()]))
        up = {name: up[name] + np.float32(args.step / (size + 1e-12)) * climb[name] for name in up}
    student.load(_moved(base, up, down))


def _noise(shape: tuple[int, ...], rng: Rng) -> npt.NDArray[np.float32]:
    return rng.normal(size=shape).astype(np.float32)


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """An ensemble read in both orders; errors as in `ccs`, and `BadInput` without alternatives."""
    student = task.student()
    inputs, targets = task.in_both_orders(task.weak.probs)
    direction = ccs.believed(task, student, rng, ccs.Args())
    weights = np.tile(agreement_weights(direction, task.weak.probs, args.epsilon), 2)
    plan = Plan(epochs=args.epochs, rate=args.rate)
    members = []
    for _ in range(args.members):
        student = task.student()
        student.fit(inputs, targets, rng, weights, plan)
        judges = rng.permutation(len(task.inputs))[: args.items]
        evolve(student, task.inputs.take(judges), rng, args)
        members.append(student.save())
    recipe = Recipe(("plain", "swap"), args.members, Aggregate.TRIMMED_LOGIT_MEAN)
    return Student(tuple(members), recipe)
