"""Scores of predictions that were handed in as such: one set of answers, whatever the weak seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from aar_host.scoring.answers import AnchorPredictions, SeedResult
from aar_host.scoring.measuring import score
from aar_host.scoring.records import Score
from aar_host.vault import Labels, Part, Prepared
from aar_lab.metrics import correct
from aar_lab.types import Predictions

Choice = Callable[[Sequence[str]], Collection[str]]


def no_honey(_ids: Sequence[str]) -> Collection[str]:
    """No label is turned round."""
    return ()


class ClaimScorer:
    """Scores one set of predictions after another on one part; reads its labels once.

    Args:
        tests: a campaign's test items.
        part: "public" or "sealed".
        anchors: their predictions on that part, and the objective.
        honey: chooses honeylabels among the in-distribution items. Anchors are measured by the
            same labels, so that PGR keeps its scale.
    """

    def __init__(
        self, tests: Prepared, part: str, anchors: AnchorPredictions, honey: Choice = no_honey
    ) -> None:
        labels = tests.vault.read(Part(part))
        usual = [name for name, far in zip(labels.ids, labels.shifted, strict=True) if not far]
        self._part, self._anchors = Part(part), anchors
        self._labels = _turned(labels, honey(usual))

    @property
    def gap(self) -> float:
        """Mean accuracy of the ceiling minus that of the weak supervisors, in-distribution."""
        ceiling, weak = (
            self._accuracy(rows) for rows in (self._anchors.ceiling, self._anchors.weak)
        )
        return ceiling - weak

    def score(self, submission: str, predictions: Predictions) -> Score:
        """The score of predictions, which count once for each weak seed: the interval holds the
        noise of items and of anchors, and none of training. Raises as `scoring.score`."""
        results = [SeedResult(predictions)] * len(self._anchors.weak)
        return score(submission, results, self._anchors, self._labels, self._part)

    def _accuracy(self, rows: Sequence[Predictions]) -> float:
        usual = ~self._labels.shifted
        truth = self._labels.truth[usual]
        found = [correct(row.aligned(self._labels.ids)[usual], truth) for row in rows]
        return float(np.mean(found))


def _turned(labels: Labels, honey: Collection[str]) -> Labels:
    chosen = np.array([name in honey for name in labels.ids])
    return replace(labels, truth=np.where(chosen, 1 - labels.truth, labels.truth).astype(np.int8))


def answer_for_all(tests: Prepared) -> None:
    """Move the sealed part of test items that were just drawn into the public one, for good."""
    parts = [tests.vault.read(part) for part in (Part.PUBLIC, Part.SEALED)]
    tests.vault.write(Part.PUBLIC, _joined(*parts))
    tests.vault.remove(Part.SEALED)


def _joined(first: Labels, second: Labels) -> Labels:
    return Labels(
        ids=first.ids + second.ids,
        truth=np.concatenate([first.truth, second.truth]),
        problems=first.problems + second.problems,
        shifted=np.concatenate([first.shifted, second.shifted]),
        metadata=first.metadata + second.metadata,
    )
