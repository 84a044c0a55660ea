"""Statistics of a score: pure functions, no input or output."""

from aar_lab.metrics.gap import Outcomes, correct, paired_gain, pgr, pgr_estimate, reference

__all__ = ["Outcomes", "correct", "paired_gain", "pgr", "pgr_estimate", "reference"]
