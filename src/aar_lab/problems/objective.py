"""What a submission is measured by: declared as data, computed by the host alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aar_lab.errors import BadInput

ITEM_SCORES = ("accuracy", "brier")
ITEMS = ("usual", "shifted")
FLOORS = ("weak", "naive")
CEILINGS = ("ceiling",)
COMPOSITES = ("arithmetic",)


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput(f"{what} {value!r:.80}", "not known", f"Known are: {', '.join(known)}.")


@dataclass(frozen=True)
class Metric:
    """The closed fraction (score − floor) / (ceiling − floor) of the means of one per-item score.

    Args:
        name: the score of an item, in [0, 1]: "accuracy", 1 where P(y = 1) falls on the side of the
            truth, or "brier", 1 − (P(y = 1) − y)² (Brier 1950, turned so that more is better).
        items: "usual" or "shifted".
        floor: the anchor whose score counts as 0, "weak" or "naive".
        ceiling: the anchor whose score counts as 1.
        weight: in the composite, positive.
    """

    name: str = "accuracy"
    items: str = "usual"
    floor: str = "weak"
    ceiling: str = "ceiling"
    weight: float = 1.0

    def __post_init__(self) -> None:
        _one_of("metric", self.name, ITEM_SCORES)
        _one_of("items", self.items, ITEMS)
        _one_of("floor", self.floor, FLOORS)
        _one_of("ceiling", self.ceiling, CEILINGS)
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise BadInput(f"weight {self.weight}", "not a positive number", "1 is the usual one.")


@dataclass(frozen=True)
class Gate:
    """A mean score that must not fall below an anchor's by more than a tolerance.

    Args:
        name, items: as in `Metric`.
        anchor: "weak", "naive" or "ceiling".
        tolerance: in [0, 1].
    """

    name: str = "accuracy"
    items: str = "shifted"
    anchor: str = "naive"
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        _one_of("metric", self.name, ITEM_SCORES)
        _one_of("items", self.items, ITEMS)
        _one_of("anchor", self.anchor, (*FLOORS, *CEILINGS))
        if not 0 <= self.tolerance <= 1:
            raise BadInput(f"tolerance {self.tolerance}", "outside [0, 1]", "0 is the strictest.")


@dataclass(frozen=True)
class Objective:
    """Metrics, how they become one number, and gates; the default is PGR.

    Args:
        metrics: at least one, no two of the same name, items and floor.
        composite: "arithmetic": the mean of the fractions, weighted.
        gates: passed or failed beside the number; they never change it.
    """

    metrics: tuple[Metric, ...] = (Metric(),)
    composite: str = "arithmetic"
    gates: tuple[Gate, ...] = ()

    def __post_init__(self) -> None:
        _one_of("composite", self.composite, COMPOSITES)
        keys = [(metric.name, metric.items, metric.floor) for metric in self.metrics]
        if not keys or len(set(keys)) != len(keys):
            raise BadInput(
                f"{len(keys)} metrics", "none, or one of them twice", "Name each metric once."
            )

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Objective:
        """From `as_dict`; `BadInput` if a field is unknown or out of range."""
        try:
            return cls(
                tuple(Metric(**metric) for metric in body["metrics"]),
                body["composite"],
                tuple(Gate(**gate) for gate in body["gates"]),
            )
        except (KeyError, TypeError) as error:
            raise BadInput("objective", f"not an objective ({error})", "Prepare again.") from error

    def __str__(self) -> str:
        """One line for a researcher's brief."""
        if self == PGR:
            return "PGR = (transfer - weak) / (ceiling - weak), accuracy, higher is better"
        terms = [
            f"{m.weight:g} x ({m.name} on {m.items} items - {m.floor}) / ({m.ceiling} - {m.floor})"
            for m in self.metrics
        ]
        gates = [
            f"; {g.name} on {g.items} items must reach {g.anchor} - {g.tolerance:g}"
            for g in self.gates
        ]
        return f"weighted mean of {', '.join(terms)}; higher is better{''.join(gates)}"


PGR = Objective()
