"""The space of methods that the search knows: components, what a design costs, how far two differ.

A design is a pipeline: evidence for each label → self-distillation → selection and weights → fit of
each member → inference recipe. Every component is an idea of the catalogue in the literature;
`phrases.py` names the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aar_lab.errors import BadInput

Value = str | int | float

MAX_COST = 12.0
CURRICULUM_SHARE = 0.5
PASS_COST = 0.3  # one prediction of all rows, in epochs of fitting

COMPONENTS: Mapping[str, tuple[Value, ...]] = {
    "signal": ("weak", "prior", "mixture"),
    "prior": ("standardised", "regressed"),
    "strength": (0.5, 1.0, 1.5, 2.5, 4.0),
    "generations": (0, 1, 2),
    "labels": ("soft", "hard", "sharpened", "tempered"),
    "select": ("all", "confident", "agreement", "neighbours"),
    "share": (0.3, 0.5, 0.7),
    "weighting": ("none", "confidence", "agreement"),
    "curriculum": ("none", "confident_first"),
    "loss": ("cross_entropy", "logconf", "reverse_cross_entropy"),
    "alpha": (0.25, 0.5, 0.75),
    "epochs": (1, 2, 3, 4),
    "rate": (5e-4, 1e-3, 2e-3),
    "members": (1, 2, 3),
    "views": ("plain", "plain+swap"),
    "aggregate": ("mean", "logit_mean"),
}


@dataclass(frozen=True)
class Design:
    """A method as a choice of components; the default is training on soft weak labels.

    Two designs that lead to the same method are equal: a component without effect (the strength
    of a mixture where nothing is mixed) is set to its default.

    Args:
        signal: evidence for y = 1: weak label, elicited prior, or the sum of their log-odds.
        prior: how the zero-shot log-odds become a prior: centred and scaled robustly, or fitted
            to the weak labels by logistic regression.
        strength: factor on the prior in the mixture.
        generations: of out-of-fold self-distillation.
        labels: what the student is fitted to: the evidence, or 1[q > ½], or its log-odds doubled
            (sharpened) or halved (tempered).
        select: all rows, or a `share` of each class with the surest evidence or the most support
            by neighbours in embedding space, or those where weak label and prior agree.
        share: see `select`.
        weighting: of examples, by the evidence's confidence or by agreement with the prior.
        curriculum: whether the surest half is fitted first.
        loss: see `aar_lab.learners.losses`; `alpha` belongs to logconf.
        epochs, rate: of every fit.
        members, views, aggregate: see `aar_lab.types.Recipe`.
    """

    signal: str = "weak"
    prior: str = "standardised"
    strength: float = 1.5
    generations: int = 0
    labels: str = "soft"
    select: str = "all"
    share: float = 0.5
    weighting: str = "none"
    curriculum: str = "none"
    loss: str = "cross_entropy"
    alpha: float = 0.5
    epochs: int = 2
    rate: float = 1e-3
    members: int = 1
    views: str = "plain"
    aggregate: str = "mean"

    def __post_init__(self) -> None:
        for name, values in COMPONENTS.items():
            value = getattr(self, name)
            if not any(type(value) is type(known) and value == known for known in values):
                raise BadInput(
                    f"{name} = {value!r:.60}",
                    "the grammar has no such value",
                    f"Use one of {', '.join(map(str, values))}.",
                )
        for name, matters in _MATTERS.items():
            if not matters(self):
                object.__setattr__(self, name, _default(name))

    @property
    def uses_prior(self) -> bool:
        """Whether the student is asked for its zero-shot answers."""
        return self.signal != "weak" or "agreement" in (self.select, self.weighting)

    @property
    def kept(self) -> float:
        """Share of the rows in the last fit; agreement is taken to hold for two thirds."""
        return {"all": 1.0, "agreement": 2 / 3}.get(self.select, self.share)

    @property
    def cost(self) -> float:
        """In epochs over all rows."""
        lessons = self.kept * (1.5 if self.curriculum != "none" else 1.0)
        passes = self.uses_prior + (self.select == "neighbours") + self.generations
        return self.epochs * (self.generations + self.members * lessons) + PASS_COST * passes

    @property
    def valid(self) -> bool:
        """Whether it may be proposed: affordable, and no component repeats another."""
        twice = self.select == self.weighting == "agreement"
        return self.cost <= MAX_COST and not twice

    def as_dict(self) -> dict[str, Value]:
        """The components that matter, as JSON."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in _MATTERS or _MATTERS[name](self)
        }

    @classmethod
    def from_dict(cls, body: object) -> Design:
        """From untrusted JSON; `BadInput` on an unknown component or value. Absent: default."""
        if not isinstance(body, dict):
            raise BadInput(type(body).__name__, "a design is a JSON object", "Write one.")
        unknown = [key for key in body if key not in COMPONENTS]
        if unknown:
            raise BadInput(
                f"{unknown[0]!r:.60}",
                "the grammar has no such component",
                f"Known are: {', '.join(COMPONENTS)}.",
            )
        return cls(**body)

    def changed(self, **components: Any) -> Design:
        """This design with some components replaced."""
        return Design(**{**asdict(self), **components})


def distance(one: Design, other: Design) -> float:
    """Share of the components that differ, in [0, 1]; numbers count by their place in the list."""
    total = sum(_apart(name, one, other) for name in COMPONENTS)
    return total / len(COMPONENTS)


def _apart(name: str, one: Design, other: Design) -> float:
    mine, theirs, values = getattr(one, name), getattr(other, name), COMPONENTS[name]
    if mine == theirs or isinstance(mine, str):
        return float(mine != theirs)
    return abs(values.index(mine) - values.index(theirs)) / (len(values) - 1)


def _default(name: str) -> Value:
    value: Value = getattr(Design, name)
    return value


_MATTERS: Mapping[str, Callable[[Design], bool]] = {
    "prior": lambda design: design.uses_prior,
    "strength": lambda design: design.signal == "mixture",
    "share": lambda design: design.select in ("confident", "neighbours"),
    "alpha": lambda design: design.loss == "logconf",
    "aggregate": lambda design: design.members > 1 or design.views != "plain",
}
