"""Statistics of a score: pure functions, no input or output."""

from aar_lab.metrics.bootstrap import bootstrap_interval
from aar_lab.metrics.compare import (
    Comparison,
    best_of_k_bias,
    compare,
    holm,
    minimum_detectable,
    paired_gain,
)
from aar_lab.metrics.gap import (
    disagreement_bound,
    pgr,
    pgr_estimate,
    pgr_from_accuracies,
    reference,
)
from aar_lab.metrics.outcomes import Outcomes, correct

__all__ = [
    "Comparison",
    "Outcomes",
    "best_of_k_bias",
    "bootstrap_interval",
    "compare",
    "correct",
    "disagreement_bound",
    "holm",
    "minimum_detectable",
    "paired_gain",
    "pgr",
    "pgr_estimate",
    "pgr_from_accuracies",
    "reference",
]
