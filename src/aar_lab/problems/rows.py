"""From examples to rows of tokens: the task's format in each view, and the pretraining format."""

from __future__ import annotations

from aar_lab.errors import BadInput
from aar_lab.problems.bundle import Problem
from aar_lab.problems.tokens import Tokeniser
from aar_lab.types import Inputs

Rows = list[list[int]]


class RowWriter:
    """Writes the examples of one problem; satisfies `aar_lab.learners.base.Writer`."""

    def __init__(self, problem: Problem) -> None:
        self._formats = problem.formats
        self._tokens = Tokeniser(problem.vocabulary)
        self.likes = [self._tokens.encode(word)[0] for word in problem.formats.likes]
        self.dislikes = [self._tokens.encode(word)[0] for word in problem.formats.dislikes]
        self.templates = len(problem.formats.elicit)

    def task(self, inputs: Inputs, view: str = "plain") -> Rows:
        """One row per example; the view "swap" exchanges the two alternatives.

        `BadInput` for another view, and for "swap" where an example has no alternatives.
        """
        turn: dict[str, str] = {}
        if view == "swap":
            first, second = self._sides(view)
            turn = {first: second, second: first}
        elif view != "plain":
            raise BadInput(repr(view)[:80], "no view of the task's row", "Use plain or swap.")
        return [
            self._tokens.encode(
                self._formats.task.format(**{turn.get(k, k): v for k, v in row.items()})
            )
            for row in inputs.data
        ]

    def _sides(self, wanted: str) -> tuple[str, ...]:
        if not self._formats.swap:
            raise BadInput(wanted, "an example of this problem has no alternatives", "Use plain.")
        return self._formats.swap

    def elicit(self, inputs: Inputs, template: int = 0) -> tuple[Rows, Rows]:
        """Each alternative judged in a pretraining format: rows of the first, of the second.

        `BadInput` if the problem has no such format.
        """
        if not 0 <= template < len(self._formats.elicit):
            raise BadInput(
                f"template {template}",
                f"the problem declares {len(self._formats.elicit)} pretraining formats",
                "Count from 0; without one, train on weak labels.",
            )
        sides, form = self._sides("elicit"), self._formats.elicit[template]
        first, second = (
            [
                self._tokens.encode(form.format(**row, reply=row[side], other=row[other]))
                for row in inputs.data
            ]
            for side, other in (sides, sides[::-1])
        )
        return first, second
