"""Predictions × vault → score. The only PGR that is published is computed here."""

from aar_host.scoring.answers import AnchorPredictions, SeedResult
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
    "GateScore",
    "MetricScore",
    "Score",
    "SeedResult",
    "accuracies",
    "estimate_as_dict",
    "estimate_from_dict",
    "score",
    "score_part",
]
