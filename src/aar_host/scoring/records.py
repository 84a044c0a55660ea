"""A score and its parts as data and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aar_host.vault import Part
from aar_lab.problems.objective import Gate, Metric
from aar_lab.types import Estimate, Interval


@dataclass(frozen=True)
class MetricScore:
    """One metric of an objective: the mean scores behind its fraction, in [0, 1], and the fraction
    with its 95 % interval."""

    metric: Metric
    floor: float
    transfer: float
    ceiling: float
    fraction: Estimate

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "metric": asdict(self.metric),
            "floor": self.floor,
            "transfer": self.transfer,
            "ceiling": self.ceiling,
            "fraction": estimate_as_dict(self.fraction),
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> MetricScore:
        """Read what `as_dict` wrote."""
        fraction = estimate_from_dict(body["fraction"])
        return cls(**{**body, "metric": Metric(**body["metric"]), "fraction": fraction})


@dataclass(frozen=True)
class GateScore:
    """A gate: the mean score of the transfer and of the anchor, in [0, 1].

    Both are None, and nothing is decided, where the part has no such item or there is no such
    anchor.
    """

    gate: Gate
    transfer: float | None
    anchor: float | None

    @property
    def passed(self) -> bool | None:
        """Whether transfer ≥ anchor − tolerance."""
        if self.transfer is None or self.anchor is None:
            return None
        return self.transfer >= self.anchor - self.gate.tolerance

    def as_dict(self) -> dict[str, Any]:
        """As JSON, with the outcome."""
        return {**asdict(self), "passed": self.passed}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> GateScore:
        """Read what `as_dict` wrote."""
        return cls(Gate(**body["gate"]), body["transfer"], body["anchor"])


@dataclass(frozen=True)
class Score:
    """The score of a submission on one part. Without an objective of its own, all but
    `shifted_pgr` concern in-distribution items.

    Args:
        accuracy: of each weak seed's student, in [0, 1].
        pgr: performance gap recovered with its 95 % interval; the composite, where the problem
            declares another objective.
        gain_over_naive: that of the submission minus that of naive, paired; None without a naive
            anchor.
        n_items, n_problems: what accuracy and PGR rest on.
        shifted_pgr: PGR on out-of-distribution items; None if there are none or it is undefined.
        metrics, gates: those of the problem's objective; empty where that is PGR alone.
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
    metrics: tuple[MetricScore, ...] = ()
    gates: tuple[GateScore, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As JSON; an unbounded side of an interval is null. The keys `metrics` and `gates` are
        there only where the objective is not PGR alone."""
        found: dict[str, Any] = {
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
        if self.metrics:
            found["metrics"] = [metric.as_dict() for metric in self.metrics]
            found["gates"] = [gate.as_dict() for gate in self.gates]
        return found

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
            metrics=tuple(MetricScore.from_dict(one) for one in body.get("metrics", ())),
            gates=tuple(GateScore.from_dict(one) for one in body.get("gates", ())),
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
