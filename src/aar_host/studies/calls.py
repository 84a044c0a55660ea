"""What calls of a method's source give back: those of a task, a student, and of libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aar_host.studies.values import (
    ASKED,
    EMBEDDED,
    LOSSES,
    NOISE,
    PREDICTED,
    SOFT,
    UNKNOWN,
    Facts,
    Fit,
    Function,
    Library,
    Pupil,
    Value,
    element,
    everything,
    hardened,
    mixed,
)

DRAWS = frozenset(
    "normal standard_normal uniform laplace multivariate_normal standard_cauchy exponential beta "
    "gamma dirichlet binomial poisson".split()
)
# Give back numbers that tell of no label: sizes, positions, constants, order by chance.
EMPTY = frozenset(
    "len arange zeros ones empty zeros_like ones_like empty_like eye linspace isinstance print "
    "permutation shuffle choice integers random alternatives type id".split()
)
HARD = frozenset("hard_labels round rint sign heaviside argmax argmin bool".split())
SAME = frozenset("list tuple sorted reversed asarray array copy deepcopy iter next".split())
ROUNDED = frozenset("round argmax argmin".split())
PLAN = ("epochs", "rate", "batch", "warmup", "head", "loss")
RECIPE = ("views", "members", "aggregate", "threshold")
MAX_RANGE = 10_000

Call = Callable[[Function, Sequence[Value], dict[str, Value]], Value]


@dataclass(frozen=True)
class Given:
    """The arguments of a call."""

    places: list[Value]
    names: dict[str, Value]

    @property
    def all(self) -> list[Value]:
        """In whatever way they were given."""
        return [*self.places, *self.names.values()]

    def get(self, place: int, name: str) -> Value | None:
        """The argument of a parameter, if there is one."""
        return self.places[place] if place < len(self.places) else self.names.get(name)

    def by_name(self, parameters: Sequence[str]) -> dict[str, Value]:
        """All by the names of the parameters."""
        return dict(zip(parameters, self.places, strict=False)) | self.names


@dataclass(frozen=True)
class Place:
    """Where a call stands: what is noted of the method, and its first argument as written."""

    facts: Facts
    where: str


def method(owner: Value, name: str, given: Given, place: Place) -> Value:
    """What a method of a value gives back."""
    if owner.thing == "task":
        return _of_task(name, given, place.facts)
    if isinstance(owner.thing, Pupil):
        return _of_pupil(owner.thing, name, given, place)
    if name == "take" and owner.thing == "inputs":
        return Value(mixed([owner, *given.all]).tags, thing="inputs")
    if name in DRAWS:
        return Value(frozenset({NOISE}))
    if name in EMPTY:
        return Value()
    if name in ("append", "extend", "insert", "add", "update"):
        added = given.places[-1] if given.places else Value()
        inner = [added] if name in ("append", "insert", "add") else (added.parts or [added])
        owner.parts = [*(owner.parts or []), *inner]
        return Value()
    if name in ("values", "items", "copy") and owner.parts:
        keyed = [Value(parts=[Value(), part]) for part in owner.parts]
        return Value(owner.tags, parts=keyed if name == "items" else owner.parts)
    found = mixed([owner, *given.all])
    return hardened(found) if name in ROUNDED else found


def _of_task(name: str, given: Given, facts: Facts) -> Value:
    if name == "student":
        facts.pupils.append(Pupil())
        return Value(thing=facts.pupils[-1])
    if name == "in_both_orders":
        return Value(parts=[Value(thing="inputs"), *given.places[:1]])
    return Value()


def _of_pupil(pupil: Pupil, name: str, given: Given, place: Place) -> Value:
    match name:
        case "fit":
            pupil.fits.append(_fit(given, place.where))
            return Value(frozenset({LOSSES, SOFT}))
        case "predict":
            view = given.get(1, "view")
            asked = view is not None and view.constant == "elicit"
            return Value(frozenset({ASKED if asked else PREDICTED, SOFT}))
        case "zero_shot":
            return Value(frozenset({ASKED, SOFT}))
        case "embed":
            rows = given.get(0, "inputs")
            return Value(frozenset({EMBEDDED}) | (rows.tags if rows else frozenset()))
        case "load":
            place.facts.loaded |= mixed(given.all).origins
            return Value()
        case "save":
            return Value(thing=pupil)
        case _:
            return Value()


def _fit(given: Given, where: str) -> Fit:
    inputs, targets = given.get(0, "inputs"), given.get(1, "targets")
    weights, plan = given.get(3, "weights"), given.get(4, "plan")
    loss = plan.fields.get("loss") if plan else None
    plain = loss is None or (isinstance(loss.thing, Library) and loss.thing.word == "cross_entropy")
    return Fit(
        where=where,
        rows=inputs.origins if inputs else frozenset(),
        targets=everything(targets) if targets else frozenset(),
        weighted=weights is not None and bool(weights.origins),
        loss=not plain,
    )


def library(callee: Library, given: Given, facts: Facts, call: Call) -> Value:
    """What something imported or built in gives back: by default a mixture of its arguments."""
    word = callee.word
    if word == "Plan":
        return Value(thing="plan", fields=given.by_name(PLAN))
    if word == "Recipe":
        return Value(thing="recipe", fields=given.by_name(RECIPE))
    if word == "Student":
        return _student(given, facts)
    if word == "replace" and given.places:
        return Value(thing=given.places[0].thing, fields=given.places[0].fields | given.names)
    if word == "range":
        return _range(given)
    if word in DRAWS:
        return Value(frozenset({NOISE}))
    if word in EMPTY:
        return Value()
    if word in SAME and given.places:
        return given.places[0]
    if word in ("zip", "enumerate"):
        pieces = [element(one) for one in given.places]
        return Value(parts=[Value(parts=[Value()] * (word == "enumerate") + pieces)])
    if word in ("map", "partial") and given.places:
        return _applied(word, given, call)
    found = mixed(given.all)
    return hardened(found) if word in HARD else found


def _applied(word: str, given: Given, call: Call) -> Value:
    function, rest = given.places[0], given.places[1:]
    if not isinstance(function.thing, Function):
        return mixed(given.all)
    if word == "partial":
        return Value(everything(function), thing=function.thing)
    return Value(parts=[call(function.thing, [element(one) for one in rest], {})])


def _range(given: Given) -> Value:
    known = [one.constant for one in given.places]
    if not all(type(one) is int and abs(one) <= MAX_RANGE for one in known) or not known:
        return Value(mixed(given.all).tags)
    return Value() if len(known) == 3 and known[2] == 0 else Value(constant=range(*known))


def _student(given: Given, facts: Facts) -> Value:
    weights, recipe = given.get(0, "weights"), given.get(1, "recipe")
    fields: Mapping[str, Value] = recipe.fields if recipe else {}
    facts.final += [] if weights is None else list(_pupils(weights))
    views = fields.get("views")
    held = [] if views is None else [views, *(views.parts or [])]
    facts.elicits |= any(one.constant == "elicit" for one in held)
    members = fields["members"].constant if "members" in fields else 1
    if members is UNKNOWN:
        members = 2  # as many as there are: it would be 1 in words otherwise
    facts.members = max(facts.members, members if isinstance(members, int) else 1)
    return Value(thing="returned")


def _pupils(value: Value, depth: int = 6) -> list[Pupil]:
    found = [value.thing] if isinstance(value.thing, Pupil) else []
    for part in (value.parts or []) if depth else []:
        found += _pupils(part, depth - 1)
    return found
