"""From examples to rows of tokens: the task's format in each view, and the pretraining format."""

from __future__ import annotations

from aar_lab.errors import BadInput
from aar_lab.problems.bundle import Problem
from aar_lab.problems.tokens import Tokeniser
from aar_lab.types import VIEWS, Inputs

Rows = list[list[int]]


class RowWriter:
    """Writes the examples of one problem; satisfies `aar_lab.learners.base.Writer`."""

    def __init__(self, problem: Problem) -> None:
        self._formats = problem.formats
        self._tokens = Tokeniser(problem.vocabulary)
        self.likes = [self._tokens.encode(word)[0] for word in problem.formats.likes]
        self.dislikes = [self._tokens.encode(word)[0] for word in problem.formats.dislikes]

    def task(self, inputs: Inputs, view: str = "plain") -> Rows:
        """One row per example; the view "swap" exchanges the two alternatives."""
        if view not in VIEWS:
            raise BadInput(repr(view)[:80], "there is no such view", f"Use {', '.join(VIEWS)}.")
        first, second = self._formats.swap
        turn = {first: second, second: first} if view == "swap" else {}
        return [
            self._tokens.encode(
                self._formats.task.format(**{turn.get(k, k): v for k, v in row.items()})
            )
            for row in inputs.data
        ]

    def elicit(self, inputs: Inputs) -> tuple[Rows, Rows]:
        """Each alternative alone in the pretraining format; `BadInput` if the problem has none."""
        if not self._formats.elicit:
            raise BadInput(
                "zero_shot", "the problem declares no pretraining format", "Train on weak labels."
            )
        first, second = (
            [
                self._tokens.encode(self._formats.elicit.format(**row, reply=row[side]))
                for row in inputs.data
            ]
            for side in self._formats.swap
        )
        return first, second
