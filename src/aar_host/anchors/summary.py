"""What the anchors are worth on given items: the table of `aar anchors`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aar_host.anchors.students import BASELINES, Kind
from aar_host.scoring import (
    AnchorPredictions,
    SeedResult,
    accuracies,
    estimate_as_dict,
    score_part,
)
from aar_host.vault import Prepared
from aar_lab.errors import Undefined
from aar_lab.metrics import reference
from aar_lab.types import Predictions

Rows = Mapping[Kind, tuple[Predictions, ...]]


def summarise(
    version: str, rows: Rows, elicited: Predictions | None, tests: Prepared, part: str
) -> dict[str, Any]:
    """Accuracy of every reference on in-distribution items, and the baselines' PGR, as JSON.

    Args:
        rows: predictions of each kind's students on the items of the part.
        elicited: the answers of the untrained strong model through its pretraining format, or None.
    """
    found: dict[str, Any] = {"version": version}
    for kind in Kind:
        found[kind.value] = vars(reference(accuracies(rows[kind], tests, part)))
    anchors = AnchorPredictions(version, rows[Kind.WEAK], rows[Kind.CEILING])
    for kind in BASELINES:
        results = [SeedResult(predictions) for predictions in rows[kind]]
        try:
            scored = score_part(kind.value, results, anchors, tests, part)
        except Undefined as error:
            found[kind.value] |= {"pgr": None, "interval": None, "error": error.as_dict()}
            continue
        estimate = estimate_as_dict(scored.pgr)
        found[kind.value] |= {"pgr": estimate["mean"], "interval": estimate["interval"]}
        found |= {"n_items": scored.n_items, "n_problems": scored.n_problems}
    if elicited is not None:
        found["zero_shot"] = {"mean": accuracies([elicited], tests, part)[0]}
    return found
