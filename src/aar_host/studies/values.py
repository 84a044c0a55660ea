"""What is known of a value in a method's source that is read and not run: where it comes from.

A tag names an origin: WEAK labels, a student's zero-shot answers (ASKED), its EMBEDDED states, what
it answers once fitted (PREDICTED), LOSSES of a fit, the TEXT of examples, NOISE drawn at random.
SOFT says that a probability has not been hardened, STEP that a loop's turn is in it. A tag with BY
before it is that of an index: of which values were looked up, not of what they are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

WEAK, ASKED, EMBEDDED, PREDICTED = "weak", "asked", "embedded", "predicted"
LOSSES, TEXT, NOISE, SOFT, STEP = "losses", "text", "noise", "soft", "step"
BY = "by "
UNKNOWN = object()

Tags = frozenset[str]
NOTHING: Tags = frozenset()


@dataclass
class Value:
    """An abstract value.

    Args:
        tags: its origins.
        constant: what it is, where the source says so; else UNKNOWN.
        thing: what stands behind it: a role ("task", "inputs", …), a `Pupil`, a definition.
        parts: of a tuple or list, or of a call that keeps its arguments; None if not known.
        fields: of an object or a call, by name.
    """

    tags: Tags = NOTHING
    constant: Any = UNKNOWN
    thing: Any = None
    parts: list[Value] | None = None
    fields: dict[str, Value] = field(default_factory=dict)

    @property
    def truth(self) -> bool | None:
        """As a condition; None where the source does not say."""
        return None if self.constant is UNKNOWN else bool(self.constant)

    @property
    def origins(self) -> Tags:
        """The tags of all that it holds; those of indices count as origins."""
        return frozenset(tag.removeprefix(BY) for tag in everything(self))


@dataclass
class Scope:
    """The names of a module, class or call, within those of what it stands in."""

    names: dict[str, Value]
    parent: Scope | None

    def find(self, name: str) -> Value | None:
        """What a name is bound to."""
        where: Scope | None = self
        while where is not None:
            if name in where.names:
                return where.names[name]
            where = where.parent
        return None


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the source, and where it stands."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope


@dataclass(frozen=True, eq=False)
class Klass:
    """A class of the source: its names, and its annotated fields in their order."""

    name: str
    inside: Scope
    order: list[str]


@dataclass(frozen=True)
class Library:
    """Something imported or built in, by its dotted path."""

    path: str

    @property
    def word(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class Fit:
    """One fit of a student; `where` tells the written expression of its inputs."""

    where: str
    rows: Tags
    targets: Tags
    weighted: bool
    loss: bool


@dataclass(eq=False)
class Pupil:
    """A fresh student, with its fits in their order."""

    fits: list[Fit] = field(default_factory=list)


@dataclass
class Facts:
    """What a method was seen to do.

    Args:
        pupils: every student that it took.
        final: those whose weights it returned.
        loaded: origins of weights that it wrote into students.
        members: most members of a student that it returned.
        elicits: whether its recipe asks in a pretraining format.
    """

    pupils: list[Pupil] = field(default_factory=list)
    final: list[Pupil] = field(default_factory=list)
    loaded: Tags = NOTHING
    members: int = 1
    elicits: bool = False


def everything(value: Value, depth: int = 6) -> Tags:
    """The tags of a value and of its parts and fields."""
    held = [*(value.parts or ()), *value.fields.values()]
    if depth == 0 or not held:
        return value.tags
    return value.tags.union(*(everything(one, depth - 1) for one in held))


def mixed(values: Iterable[Value]) -> Value:
    """Something made of all of these."""
    return Value(frozenset[str]().union(*map(everything, values)))


def either(one: Value, other: Value) -> Value:
    """One of the two, it is not known which."""
    if one is other:
        return one
    thing = one.thing if one.thing is not None else other.thing
    same = one.constant is not UNKNOWN and one.constant == other.constant
    longer = max((one.parts, other.parts), key=lambda parts: len(parts or ()))
    return Value(
        one.tags | other.tags,
        one.constant if same else UNKNOWN,
        thing,
        longer,
        {**other.fields, **one.fields},
    )


def hardened(value: Value) -> Value:
    """Which side it is on."""
    return Value(everything(value) - {SOFT})


def looked_up(value: Value, index: Value) -> Value:
    """The entries of `value` at `index`."""
    by = {tag if tag.startswith(BY) else BY + tag for tag in everything(index)} - {BY + SOFT}
    return Value(everything(value) | by, thing=value.thing if value.thing == "inputs" else None)


def element(value: Value) -> Value:
    """What a loop over a value gives, whichever turn it is."""
    if not value.parts:
        return Value(value.tags | {STEP}, thing=value.thing)
    found = value.parts[0]
    for part in value.parts[1:]:
        found = either(found, part)
    return Value(found.tags | {STEP}, thing=found.thing, parts=found.parts, fields=found.fields)
