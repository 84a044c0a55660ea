"""Several naive students, each asked in both orders; the answers meet in a trimmed logit mean.

    logit f(x) = trimmed mean over members k of  logit f_k(a, b)  and  −logit f_k(b, a)

Members are fitted on 1[p_w > ½] in other orders of the data. Any method can take this recipe; here
it stands alone, so that its share in a gain can be told. Ensembles: Lakshminarayanan et al. 2017,
arXiv 1612.01474. Answers that hang on the order of a pair: Zheng et al. 2023, arXiv 2306.05685.
"""

from __future__ import annotations

from dataclasses import dataclass

from aar_lab.learners.base import Plan
from aar_lab.methods.base import Rng, Task, hard_labels
from aar_lab.types import Aggregate, Recipe, Student, Weights

FAMILY = "ensemble"


@dataclass(frozen=True)
class Args:
    """Members in 1…8 (below 4 nothing is trimmed: 15 % of their two views is less than one
    answer); epochs and peak rate of each fit."""

    members: int = 4
    epochs: int = 2
    rate: float = 1e-3


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """An ensemble of naive students; `BadInput` if an example has no alternatives."""
    task.alternatives()
    recipe = Recipe(("plain", "swap"), args.members, Aggregate.TRIMMED_LOGIT_MEAN)
    return Student(tuple(_member(task, rng, args) for _ in range(args.members)), recipe)


def _member(task: Task, rng: Rng, args: Args) -> Weights:
    student = task.student()
    plan = Plan(epochs=args.epochs, rate=args.rate)
    student.fit(task.inputs, hard_labels(task.weak.probs), rng, plan=plan)
    return student.save()
