"""Fine-tuning on zero-shot answers made consistent: unsupervised, the weak labels are not read.

    min over s of  Σ_i (m_i − (s_a(i) − s_b(i)))²,   labels  1[s_a − s_b > median]

m_i is the zero-shot margin of pair i, averaged over the templates. Within one prompt every
alternative has one latent score s, whatever it is paired with, hence no cycles; the flipped pair
has the opposite margin; where the problem says which word is the answer, alternatives with the same
answer share their score. Wen et al. 2025, "Unsupervised elicitation", arXiv 2506.10139
(consistency); zero-shot labels in place of its search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aar_lab.learners.base import Learner, Plan
from aar_lab.methods.base import Effort, Rng, Task, hard_labels
from aar_lab.types import FloatArray, Inputs, Student

FAMILY = "unsupervised elicitation"


@dataclass(frozen=True)
class Args:
    """Soft labels σ(margin) instead of hard ones; both orders of every pair, or one; epochs and
    peak rate of the fit."""

    soft: bool = False
    both_orders: bool = False
    epochs: int = 2
    rate: float = 1e-3


def effort(args: Args) -> Effort:
    """What the fit sees."""
    return Effort(args.epochs, args.both_orders)


def mean_margins(student: Learner, inputs: Inputs) -> FloatArray:
    """Zero-shot log-odds averaged over all templates, (n,); `BadInput` if there is none."""
    count = max(1, student.templates)
    margins = np.stack([student.zero_shot(inputs, template) for template in range(count)])
    return np.asarray(margins.mean(axis=0))


def consistent(task: Task, margins: FloatArray) -> FloatArray:
    """Differences of the latent scores that fit the margins best, (n,)."""
    groups: dict[tuple[str, ...], list[int]] = {}
    sides = task.alternatives()
    for row, fields in enumerate(task.inputs.data):
        prompt = tuple(value for name, value in fields.items() if name not in sides)
        groups.setdefault(prompt, []).append(row)
    found = np.empty(len(margins))
    for rows in groups.values():
        design = _design(task, rows)
        found[rows] = design @ np.linalg.lstsq(design, margins[rows], rcond=None)[0]
    return found


def _design(task: Task, rows: list[int]) -> FloatArray:
    """(pairs, scores): +1 at the first alternative's score, −1 at the second's."""
    names = [[_claim(task, row, side) for side in task.alternatives()] for row in rows]
    column = {name: i for i, name in enumerate(sorted({name for pair in names for name in pair}))}
    design = np.zeros((len(rows), len(column)))
    for line, (first, second) in zip(design, names, strict=True):
        line[column[first]] += 1
        line[column[second]] -= 1
    return design


def _claim(task: Task, row: int, side: str) -> str:
    """What an alternative claims: its final answer where there is one, else all of its text."""
    text = task.inputs.data[row][side]
    answer = task.formats.answer if task.formats else None
    return text if answer is None else text.split()[answer]


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """A student fine-tuned on consistent zero-shot labels; `BadInput` without alternatives or
    pretraining formats."""
    student = task.student()
    margins = consistent(task, mean_margins(student, task.inputs))
    probs = 1 / (1 + np.exp(np.clip(np.median(margins) - margins, -30, 30)))
    targets = probs if args.soft else hard_labels(probs)
    inputs = task.inputs
    if args.both_orders:
        inputs, targets = task.in_both_orders(targets)
    student.fit(inputs, targets, rng, plan=Plan(epochs=args.epochs, rate=args.rate))
    return Student((student.save(),))
