"""What crosses the boundary between host and researcher: frozen, validated, keyed by example id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from aar_lab.errors import BadIds, BadProbabilities, BadRecipe

FloatArray = npt.NDArray[np.float64]
Weights = Mapping[str, npt.NDArray[np.float32]]

MAX_MEMBERS = 8


def check_ids(ids: Sequence[str]) -> tuple[str, ...]:
    """The ids as a tuple; `BadIds` if there is none or one occurs twice."""
    if not ids:
        raise BadIds("[]", "there is no example", "Give at least one example id.")
    if len(set(ids)) != len(ids):
        seen: set[str] = set()
        twice = next(i for i in ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
        raise BadIds(repr(twice), "this id occurs more than once", "Give every example once.")
    return tuple(ids)


def check_probabilities(probs: Sequence[float] | FloatArray, size: int) -> FloatArray:
    """Return a read-only float64 array of shape (size,) in [0, 1], or raise `BadProbabilities`."""
    array = np.array(probs, dtype=np.float64)
    if array.shape != (size,):
        raise BadProbabilities(
            f"shape {array.shape}",
            f"{size} ids need shape ({size},)",
            "Give one value for each id.",
        )
    bad = ~((array >= 0) & (array <= 1))
    if bad.any():
        raise BadProbabilities(
            f"{array[bad][0]} at position {int(np.argmax(bad))}",
            "a probability must be a finite number in [0, 1]",
            "Clip or correct the values before you hand them in.",
        )
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class Inputs:
    """Examples as text fields, without labels: `data[i]` belongs to `ids[i]`."""

    ids: tuple[str, ...]
    data: tuple[Mapping[str, str], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", check_ids(self.ids))
        if len(self.ids) != len(self.data):
            raise BadIds(
                f"{len(self.ids)} ids, {len(self.data)} examples",
                "their numbers differ",
                "Give each example one id.",
            )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> Inputs:
        """The examples at the given positions, in that order."""
        return Inputs(tuple(self.ids[i] for i in rows), tuple(self.data[i] for i in rows))


@dataclass(frozen=True)
class Predictions:
    """P(y = 1) for each id; `probs` is a read-only float64 array of shape (len(ids),)."""

    ids: tuple[str, ...]
    probs: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", check_ids(self.ids))
        object.__setattr__(self, "probs", check_probabilities(self.probs, len(self.ids)))

    def aligned(self, ids: Sequence[str]) -> FloatArray:
        """The probabilities in the order of `ids`; `BadIds` unless both hold the same ids."""
        if self.ids == tuple(ids):
            return self.probs
        position = {name: i for i, name in enumerate(self.ids)}
        wrong = next((name for name in ids if name not in position), None)
        if wrong is not None or len(ids) != len(self.ids):
            raise BadIds(
                repr(wrong) if wrong is not None else f"{len(self.ids)} ids",
                f"the ids do not match the {len(ids)} expected ones",
                "Predict every expected example once, and no other.",
            )
        return self.probs[[position[name] for name in ids]]


@dataclass(frozen=True)
class WeakLabels(Predictions):
    """The weak supervisor's P(y = 1) for each id; `seed` names the supervisor."""

    seed: int = 0


class Aggregate(StrEnum):
    """How the probabilities of several views and members become one."""

    MEAN = "mean"
    LOGIT_MEAN = "logit_mean"
    TRIMMED_LOGIT_MEAN = "trimmed_logit_mean"


VIEWS = ("plain", "swap", "elicit")


@dataclass(frozen=True)
class Recipe:
    """Declarative inference: each member sees each view; the answers are aggregated.

    Args:
        views: any of "plain", "swap" (alternatives exchanged) and "elicit" (pretraining format).
        members: number of weight sets, in 1…MAX_MEMBERS.
        aggregate: how views and members are combined (15 % trimmed on each side if trimmed).
        threshold: P(y = 1) above which the answer counts as 1, in (0, 1).
    """

    views: tuple[str, ...] = ("plain",)
    members: int = 1
    aggregate: Aggregate = Aggregate.MEAN
    threshold: float = 0.5

    def __post_init__(self) -> None:
        views = set(self.views)
        if not views or len(views) != len(self.views) or views - set(VIEWS):
            raise BadRecipe(
                f"views {list(self.views)!r:.80}",
                f"not a subset of {', '.join(VIEWS)}",
                "Name each once.",
            )
        if not 1 <= self.members <= MAX_MEMBERS:
            raise BadRecipe(f"members {self.members!r:.40}", f"not in 1…{MAX_MEMBERS}", "Use few.")
        if not 0 < self.threshold < 1:
            raise BadRecipe(f"threshold {self.threshold!r:.40}", "not in (0, 1)", "Try 0.5.")

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"views": list(self.views), "aggregate": self.aggregate.value}

    @classmethod
    def from_dict(cls, body: object) -> Recipe:
        """Read a recipe from untrusted JSON; `BadRecipe` on any unknown field or wrong type."""
        if not isinstance(body, dict):
            raise BadRecipe(type(body).__name__, "a recipe is a JSON object", "Write one.")
        unknown = set(body) - {f.name for f in fields(cls)}
        if unknown:
            raise BadRecipe(
                ", ".join(sorted(map(repr, unknown)))[:200],
                "unknown field of a recipe",
                "Known are: " + ", ".join(f.name for f in fields(cls)) + ".",
            )
        views, members = body.get("views", ["plain"]), body.get("members", 1)
        aggregate, threshold = body.get("aggregate", "mean"), body.get("threshold", 0.5)
        if not isinstance(views, list) or not all(isinstance(view, str) for view in views):
            raise BadRecipe(repr(views)[:80], "views is a list of names", "Use plain.")
        if type(members) is not int or type(threshold) not in (int, float):
            raise BadRecipe(
                f"{members!r:.40}, {threshold!r:.40}",
                "members or threshold is no number",
                "Use one.",
            )
        if aggregate not in list(Aggregate):
            raise BadRecipe(
                repr(aggregate)[:80], "unknown aggregate", f"Use {', '.join(Aggregate)}."
            )
        return cls(tuple(views), members, Aggregate(aggregate), threshold)


@dataclass(frozen=True)
class Student:
    """What a method returns: weights of its members and how to read them. Data only."""

    members: tuple[Weights, ...]
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        if len(self.members) != self.recipe.members:
            raise BadRecipe(
                f"{len(self.members)} weight sets",
                f"the recipe says {self.recipe.members}",
                "Give one weight set for each member.",
            )


class Role(StrEnum):
    """What a token may do; see `aar_host.auth`."""

    RESEARCHER = "researcher"
    HUMAN_RESEARCHER = "human-researcher"
    OPERATOR = "operator"
    VIEWER = "viewer"


RESEARCHERS = (Role.RESEARCHER, Role.HUMAN_RESEARCHER)


class JobStatus(StrEnum):
    """How a job stands. Everything but the first three is final, and a status, never a score."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    DISK_FULL = "disk_full"
    BAD_OUTPUT = "bad_output"
    LOST = "lost"
    CANCELLED = "cancelled"


class FindingKind(StrEnum):
    """What a finding says."""

    HYPOTHESIS = "hypothesis"
    RESULT = "result"
    INSIGHT = "insight"
    NEGATIVE = "negative"
    ERROR = "error"


MAX_SOURCE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Interval:
    """A two-sided 95 % interval; an unbounded side is ±inf."""

    low: float
    high: float

    def as_list(self) -> list[float]:
        """As JSON: [low, high]."""
        return [self.low, self.high]


@dataclass(frozen=True)
class Reference:
    """Accuracy of an anchor over seeds: number of seeds, mean, standard error of the mean."""

    n: int
    mean: float
    se: float


@dataclass(frozen=True)
class Estimate:
    """An estimate with its 95 % interval, made by "delta", "fieller" or "sum"."""

    mean: float
    interval: Interval
    method: str = "delta"
