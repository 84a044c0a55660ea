"""What may be spent, as data: by one researcher and by all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from aar_lab.errors import BadSettings

RESOURCES = ("dollars", "tokens", "compute_seconds", "wall_seconds", "submissions")
MARKS = (0.5, 0.8, 1.0)  # shares of a limit at which its passing is told; the last one stops


@dataclass(frozen=True)
class Budget:
    """The most that may be used of each resource, above 0; None: without a limit.

    Args:
        dollars: for language models, at the price table's prices.
        tokens: of language models, in and out, cached ones included.
        compute_seconds: of training jobs, by their wall time in boxes.
        wall_seconds: for which the campaign is served.
        submissions: that are charged.
    """

    dollars: float | None = None
    tokens: float | None = None
    compute_seconds: float | None = None
    wall_seconds: float | None = None
    submissions: float | None = None

    def __post_init__(self) -> None:
        for name in RESOURCES:
            value = getattr(self, name)
            number = type(value) in (int, float) and value > 0
            if value is not None and not number:
                raise BadSettings(
                    f"{name} = {value!r:.80}", "no number above 0", "Correct or leave it out."
                )

    def as_dict(self) -> dict[str, float]:
        """As JSON; what has no limit is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Budget:
        """Read what `as_dict` wrote; `BadSettings` for a resource that is not known."""
        unknown = set(body) - {entry.name for entry in fields(cls)}
        if unknown:
            raise BadSettings(
                f"{sorted(map(str, unknown))}"[:80], "unknown resource", f"Known: {RESOURCES}."
            )
        return cls(**body)

    def within(self, other: Budget) -> Budget:
        """This budget where it states a limit, the other one elsewhere."""
        return replace(other, **self.as_dict())


@dataclass(frozen=True)
class Budgets:
    """The budgets of a campaign.

    Args:
        pool: of all together.
        each: of every researcher.
        seats: name of a researcher → limits that differ for it.
    """

    pool: Budget = Budget()
    each: Budget = Budget()
    seats: Mapping[str, Budget] = field(default_factory=dict)

    def of(self, researcher: str | None) -> Budget:
        """The budget of a researcher; None: the pool's."""
        if researcher is None:
            return self.pool
        return self.seats.get(researcher, Budget()).within(self.each)

    def limits(self, resource: str) -> set[float]:
        """All limits of a resource, whosever they are."""
        found = (getattr(one, resource) for one in (self.pool, self.each, *self.seats.values()))
        return {limit for limit in found if limit is not None}

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        seats = {name: budget.as_dict() for name, budget in self.seats.items()}
        return {"pool": self.pool.as_dict(), "each": self.each.as_dict(), "seats": seats}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Budgets:
        """Read what `as_dict` wrote."""
        seats = {name: Budget.from_dict(one) for name, one in body.get("seats", {}).items()}
        pool, each = body.get("pool", {}), body.get("each", {})
        return cls(Budget.from_dict(pool), Budget.from_dict(each), seats)


def passed(limit: float | None, before: float, after: float) -> list[float]:
    """The marks of a limit that are reached by going from one use of it to another."""
    if limit is None:
        return []
    return [mark for mark in MARKS if before < mark * limit <= after]
