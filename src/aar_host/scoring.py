"""Predictions × vault → score. The only PGR that is published is computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aar_host.vault import Labels, Part, Prepared
from aar_lab.errors import BadInput, BadProbabilities, TooFewSeeds, Undefined
from aar_lab.metrics import Outcomes, correct, paired_gain, pgr_estimate
from aar_lab.types import Estimate, FloatArray, Interval, Predictions


@dataclass(frozen=True)
class AnchorPredictions:
    """What the anchors predict on one part, at threshold ½.

    Args:
        version: of the anchors.
        weak: at least two supervisors; `weak[i]` made the labels of weak seed i.
        ceiling: at least two students trained on ground truth.
        naive: one student for each weak seed, trained on its labels; or none, where naive is not
            to be compared with.
    """

    version: str
    weak: tuple[Predictions, ...]
    ceiling: tuple[Predictions, ...]
    naive: tuple[Predictions, ...] = ()

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


@dataclass(frozen=True)
class Score:
    """The score of a submission on one part. All but the last field concern in-distribution items.

    Args:
        accuracy: of each weak seed's student, in [0, 1].
        pgr: performance gap recovered with its 95 % interval.
        gain_over_naive: PGR minus that of naive, paired; None without a naive anchor.
        n_items, n_problems: what the score rests on.
        shifted_pgr: PGR on out-of-distribution items; None if there are none or it is undefined.
    """

    submission: str
    part: Part
    anchors_version: str
    accuracy: tuple[float, ...]
    pgr: Estimate
    gain_over_naive: Estimate | None
    n_items: int
    n_problems: int
    shifted_pgr: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON; an unbounded side of an interval is null."""
        return {
            "submission": self.submission,
            "part": self.part.value,
            "anchors_version": self.anchors_version,
            "accuracy": list(self.accuracy),
            "pgr": estimate_as_dict(self.pgr),
            "gain_over_naive": self.gain_over_naive and estimate_as_dict(self.gain_over_naive),
            "n_items": self.n_items,
            "n_problems": self.n_problems,
            "shifted_pgr": self.shifted_pgr and estimate_as_dict(self.shifted_pgr),
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Score:
        """Read what `as_dict` wrote."""
        gain, shifted = body["gain_over_naive"], body["shifted_pgr"]
        return cls(
            submission=body["submission"],
            part=Part(body["part"]),
            anchors_version=body["anchors_version"],
            accuracy=tuple(body["accuracy"]),
            pgr=estimate_from_dict(body["pgr"]),
            gain_over_naive=gain and estimate_from_dict(gain),
            n_items=body["n_items"],
            n_problems=body["n_problems"],
            shifted_pgr=shifted and estimate_from_dict(shifted),
        )


def estimate_as_dict(estimate: Estimate) -> dict[str, Any]:
    """As JSON: mean, interval [low, high] with null where unbounded, method."""
    sides = [side if math.isfinite(side) else None for side in estimate.interval.as_list()]
    return {"mean": estimate.mean, "interval": sides, "method": estimate.method}


def estimate_from_dict(body: Mapping[str, Any]) -> Estimate:
    """Read what `estimate_as_dict` wrote."""
    low, high = body["interval"]
    interval = Interval(-math.inf if low is None else low, math.inf if high is None else high)
    return Estimate(body["mean"], interval, body["method"])


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
        anchors: predictions of the anchors on the items of `labels`.
        labels: ground truth of `part`, with at least two in-distribution problems.

    Raises:
        BadIds: a result or an anchor lacks an item or has a foreign one.
        TooFewSeeds: fewer than two results.
        BadInput: not one result for each weak anchor.
        UndefinedPGR: the anchors' gap is not measurably above zero; the same for any submission.
        Undefined: fewer than two in-distribution problems.
    """
    marks = _marked(_aligned(results, anchors, labels.ids), labels.truth)
    inside, clusters = np.flatnonzero(~labels.shifted), labels.clusters
    outcomes = _outcomes(marks, clusters, inside)
    return Score(
        submission=submission,
        part=part,
        anchors_version=anchors.version,
        accuracy=tuple(float(row.mean()) for row in outcomes.transfer),
        pgr=pgr_estimate(outcomes),
        gain_over_naive=paired_gain(outcomes, marks["naive"][:, inside]) if anchors.naive else None,
        n_items=inside.size,
        n_problems=np.unique(outcomes.clusters).size,
        shifted_pgr=_shifted_pgr(marks, clusters, np.flatnonzero(labels.shifted)),
    )


def _aligned(
    results: Sequence[SeedResult], anchors: AnchorPredictions, ids: Sequence[str]
) -> dict[str, list[tuple[FloatArray, float]]]:
    """Probabilities in the order of `ids`, and the threshold, of every seed of every role."""
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


def _marked(
    answers: Mapping[str, Sequence[tuple[FloatArray, float]]], truth: npt.NDArray[np.int8]
) -> dict[str, FloatArray]:
    """Correctness of shape (seeds, n) of every role."""
    return {
        role: np.stack([correct(probs, truth, threshold) for probs, threshold in rows])
        for role, rows in answers.items()
    }


def _outcomes(
    marks: Mapping[str, FloatArray], clusters: npt.NDArray[np.intp], items: npt.NDArray[np.intp]
) -> Outcomes:
    return Outcomes(
        weak=marks["weak"][:, items],
        ceiling=marks["ceiling"][:, items],
        transfer=marks["transfer"][:, items],
        clusters=clusters[items],
    )


def _shifted_pgr(
    marks: Mapping[str, FloatArray], clusters: npt.NDArray[np.intp], items: npt.NDArray[np.intp]
) -> Estimate | None:
    try:
        return pgr_estimate(_outcomes(marks, clusters, items))
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
