"""From validated answers and labels to a score, as the problem's objective declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aar_host.scoring.answers import AnchorPredictions, Roles, SeedResult, aligned
from aar_host.scoring.records import GateScore, MetricScore, Score
from aar_host.vault import Labels, Part, Prepared
from aar_lab.errors import Undefined
from aar_lab.metrics import Outcomes, correct, paired_gain, pgr_estimate
from aar_lab.problems.objective import PGR, Gate, Metric, Objective
from aar_lab.types import Estimate, FloatArray, Interval, Predictions


def _brier(probs: FloatArray, truth: npt.NDArray[np.int8], threshold: float) -> FloatArray:
    """1 − (P(y = 1) − y)², which no threshold enters; shape (n,)."""
    found: FloatArray = 1 - (probs - truth) ** 2
    return found


# Each takes probabilities and truth of shape (n,) and a threshold, and gives n scores in [0, 1].
ITEM_SCORES: Mapping[str, Callable[[FloatArray, npt.NDArray[np.int8], float], FloatArray]] = {
    "accuracy": correct,
    "brier": _brier,
}


@dataclass(frozen=True)
class Sheet:
    """Validated answers beside the truth of the same items."""

    roles: Roles
    labels: Labels

    def places(self, items: str) -> npt.NDArray[np.intp]:
        """Positions of the "usual" or the "shifted" items."""
        return np.flatnonzero(self.labels.shifted == (items == "shifted"))

    def marks(self, role: str, name: str, items: str) -> FloatArray:
        """Scores of shape (seeds, items) of a role by the per-item score of that name."""
        truth = self.labels.truth
        rows = [ITEM_SCORES[name](probs, truth, bound) for probs, bound in self.roles[role]]
        return np.stack(rows)[:, self.places(items)]

    def outcomes(self, metric: Metric) -> Outcomes:
        """The three roles that a metric's fraction is made of."""
        weak, ceiling, transfer = (
            self.marks(role, metric.name, metric.items)
            for role in (metric.floor, metric.ceiling, "transfer")
        )
        return Outcomes(weak, ceiling, transfer, self.labels.clusters[self.places(metric.items)])

    def metric(self, metric: Metric) -> MetricScore:
        """A metric's fraction and the means behind it."""
        found = self.outcomes(metric)
        weak, transfer, ceiling = (
            float(rows.mean()) for rows in (found.weak, found.transfer, found.ceiling)
        )
        return MetricScore(metric, weak, transfer, ceiling, pgr_estimate(found))

    def gain(self, metric: Metric) -> Estimate:
        """A metric's fraction minus that of naive."""
        naive = self.marks("naive", metric.name, metric.items)
        return paired_gain(self.outcomes(metric), naive)

    def gate(self, gate: Gate) -> GateScore:
        """A gate's figures."""
        if gate.anchor not in self.roles or self.places(gate.items).size == 0:
            return GateScore(gate, None, None)
        transfer, anchor = (
            float(self.marks(role, gate.name, gate.items).mean())
            for role in ("transfer", gate.anchor)
        )
        return GateScore(gate, transfer, anchor)


def composite(objective: Objective, parts: Sequence[Estimate]) -> Estimate:
    """The weighted mean of one estimate for each metric, and of their intervals side by side.

    The standard error of a sum is at most the sum of the standard errors, whatever the
    correlations, so that the interval covers at least as well as those of the parts. Metrics of the
    same students on the same items go together, and little is given away; a single part is itself.
    """
    if len(parts) == 1:
        return parts[0]
    weights = np.array([metric.weight for metric in objective.metrics])
    weights /= weights.sum()
    mean, low, high = (
        float(weights @ np.array(side))
        for side in zip(*((p.mean, p.interval.low, p.interval.high) for p in parts), strict=True)
    )
    return Estimate(mean, Interval(low, high), "sum")


def score(
    submission: str,
    results: Sequence[SeedResult],
    anchors: AnchorPredictions,
    labels: Labels,
    part: Part,
) -> Score:
    """Score the students of a submission; everything is validated before a label is used.

    Args:
        submission: id of the submission.
        results: `results[i]` comes from the labels of weak seed i; one for each weak anchor.
        anchors: predictions of the anchors on the items of `labels`, and the objective.
        labels: ground truth of `part`, with at least two in-distribution problems.

    Raises:
        BadIds: a result or an anchor lacks an item or has a foreign one.
        TooFewSeeds: fewer than two results.
        BadInput: not one result for each weak anchor.
        UndefinedPGR: the anchors' gap in a metric is not measurably above zero.
        Undefined: fewer than two problems for a metric.
    """
    objective, sheet = anchors.objective, Sheet(aligned(results, anchors, labels.ids), labels)
    found = [sheet.metric(metric) for metric in objective.metrics]
    gains = [sheet.gain(metric) for metric in objective.metrics] if anchors.naive else []
    plain, usual = objective == PGR, sheet.places("usual")
    return Score(
        submission=submission,
        part=part,
        anchors_version=anchors.version,
        accuracy=tuple(map(float, sheet.marks("transfer", "accuracy", "usual").mean(axis=1))),
        pgr=composite(objective, [one.fraction for one in found]),
        gain_over_naive=composite(objective, gains) if gains else None,
        n_items=usual.size,
        n_problems=np.unique(labels.clusters[usual]).size,
        shifted_pgr=_shifted_pgr(sheet),
        metrics=() if plain else tuple(found),
        gates=tuple(sheet.gate(gate) for gate in objective.gates),
    )


def _shifted_pgr(sheet: Sheet) -> Estimate | None:
    try:
        return pgr_estimate(sheet.outcomes(Metric(items="shifted")))
    except Undefined:
        return None


def score_part(
    submission: str,
    results: Sequence[SeedResult],
    anchors: AnchorPredictions,
    tests: Prepared,
    part: str,
) -> Score:
    """As `score`, with the labels of the "public" or "sealed" part of a campaign's test items."""
    return score(submission, results, anchors, tests.vault.read(Part(part)), Part(part))


def accuracies(predictions: Sequence[Predictions], tests: Prepared, part: str) -> list[float]:
    """Accuracy of each student on the in-distribution items of a part, at threshold ½."""
    labels = tests.vault.read(Part(part))
    usual = ~labels.shifted
    truth = labels.truth[usual]
    return [float(correct(p.aligned(labels.ids)[usual], truth).mean()) for p in predictions]
