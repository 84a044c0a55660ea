"""What is scored: probabilities of students and anchors, validated before a label is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aar_lab.errors import BadInput, BadProbabilities, TooFewSeeds
from aar_lab.problems.objective import PGR, Objective
from aar_lab.types import FloatArray, Predictions

# Of each seed of each role: probabilities of shape (n,), and the threshold.
Roles = Mapping[str, Sequence[tuple[FloatArray, float]]]


@dataclass(frozen=True)
class AnchorPredictions:
    """What the anchors predict on one part, at threshold ½, and what is measured against them.

    Args:
        version: of the anchors.
        weak: at least two supervisors; `weak[i]` made the labels of weak seed i.
        ceiling: at least two students trained on ground truth.
        naive: one student for each weak seed, trained on its labels; or none, where naive is not
            to be compared with.
        objective: of the problem.
    """

    version: str
    weak: tuple[Predictions, ...]
    ceiling: tuple[Predictions, ...]
    naive: tuple[Predictions, ...] = ()
    objective: Objective = PGR

    def __post_init__(self) -> None:
        for name, rows in (("weak", self.weak), ("ceiling", self.ceiling)):
            if len(rows) < 2:
                raise TooFewSeeds(
                    f"{len(rows)} {name} anchor",
                    "no variance over seeds can be estimated",
                    "Train the anchors on at least two seeds.",
                )
        if len(self.naive) not in (0, len(self.weak)):
            raise BadInput(
                f"{len(self.naive)} naive and {len(self.weak)} weak anchors",
                "naive belongs to the weak seeds, one by one",
                "Train naive once on the labels of each weak seed.",
            )
        if not self.naive and "naive" in {metric.floor for metric in self.objective.metrics}:
            raise BadInput(
                "no naive anchor", "the objective counts from it", "Train naive on each weak seed."
            )


@dataclass(frozen=True)
class SeedResult:
    """What the student of one weak seed predicts, and the threshold of its recipe, in (0, 1)."""

    predictions: Predictions
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise BadProbabilities(
                f"threshold {self.threshold}", "not in (0, 1)", "0.5 is the usual one."
            )


def aligned(results: Sequence[SeedResult], anchors: AnchorPredictions, ids: Sequence[str]) -> Roles:
    """The answers of "transfer", "weak", "ceiling" and, if there is one, "naive" in the order of
    `ids`; raises as `aar_host.scoring.score` does."""
    if len(results) < 2:
        raise TooFewSeeds(
            f"{len(results)} result",
            "no variance over seeds can be estimated",
            "Give the student of every weak seed.",
        )
    if len(results) != len(anchors.weak):
        raise BadInput(
            f"{len(results)} results",
            f"the anchors have {len(anchors.weak)} weak seeds",
            "Give the student of every weak seed, once.",
        )
    roles = {"transfer": list(results)}
    for role in ("weak", "ceiling", "naive"):
        rows: tuple[Predictions, ...] = getattr(anchors, role)
        roles[role] = [SeedResult(row) for row in rows]
    return {
        role: [(row.predictions.aligned(ids), row.threshold) for row in rows]
        for role, rows in roles.items()
        if rows
    }
