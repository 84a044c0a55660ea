"""The pretrained student as it is, asked in a format of its pretraining.

    f(x) = σ(m_a(x) − m_b(x)),  m_r = log P(approval | r) − log P(disapproval | r)

Brown et al. 2020, arXiv 2005.14165; as P(True) of a claim: Kadavath et al. 2022, arXiv 2207.05221.
"""

from __future__ import annotations

from dataclasses import dataclass

from aar_lab.errors import BadInput
from aar_lab.methods.base import Effort, Rng, Task
from aar_lab.types import Recipe, Student

FAMILY = "unsupervised elicitation"


@dataclass(frozen=True)
class Args:
    """Threshold in (0, 1) above which P(y = 1) counts as the answer 1."""

    threshold: float = 0.5


def effort(args: Args) -> Effort:
    """None: nothing is trained."""
    return Effort(0)


def train(task: Task, rng: Rng, args: Args = Args()) -> Student:
    """The pretrained student, untrained; `BadInput` if the problem has no pretraining format."""
    student = task.student()
    if not student.templates:
        raise BadInput("0 pretraining formats", "nothing to ask in", "Train on the weak labels.")
    return Student((student.save(),), Recipe(("elicit",), threshold=args.threshold))
