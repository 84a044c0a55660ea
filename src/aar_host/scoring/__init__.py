"""Predictions × vault → score. The only PGR that is published is computed here."""

from aar_host.scoring.answers import AnchorPredictions, SeedResult
from aar_host.scoring.claims import ClaimScorer, Honey, answer_for_all, no_honey
from aar_host.scoring.measuring import accuracies, score, score_part
from aar_host.scoring.records import (
    GateScore,
    MetricScore,
    Score,
    estimate_as_dict,
    estimate_from_dict,
)

__all__ = [
    "AnchorPredictions",
    "ClaimScorer",
    "GateScore",
    "Honey",
    "MetricScore",
    "Score",
    "SeedResult",
    "accuracies",
    "answer_for_all",
    "estimate_as_dict",
    "estimate_from_dict",
    "no_honey",
    "score",
    "score_part",
]
