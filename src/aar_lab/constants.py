"""Which constants an expression of a source may stand for; the source is read, never run.

A name is followed through assignments, default values, the arguments of calls to functions and
classes of the same file, entries of dicts, attributes and arithmetic. Where it may stand for
several constants it stands for all of them: which one a run would see is not asked. What a library
computes, a loop counts or a task holds is no constant.
"""

from __future__ import annotations

import ast
import math
import operator
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product

from aar_lab.bindings import Bindings, Bound, Parameter
from aar_lab.errors import BadSource

Value = str | int | float | bool | tuple["Value", ...]
Readings = tuple["Reading", ...]

MAX_STEPS, MAX_DEPTH, MAX_READINGS, MAX_SIZE = 50_000, 60, 8, 1e300

OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,
}


@dataclass(frozen=True)
class Reading:
    """A value that an expression may have.

    Args:
        names: what the value is called on its way, as `normal` writes it.
        parts: the readings that it is computed from; none if it stands in the source as it is.
    """

    value: Value
    names: frozenset[str] = frozenset()
    parts: tuple[Reading, ...] = ()


class _Unreadable(Exception):
    """An expression that stands for no constant."""


def normal(name: str) -> str:
    """The name as it is compared: in Python's own normal form, and in lower case."""
    return unicodedata.normalize("NFKC", name).lower()


def is_number(value: object) -> bool:
    """Whether it is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


class Constants:
    """Reads the expressions of one module."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._known: dict[str, list[Bound]] = defaultdict(list)
        for _, arguments in bindings.given():
            for name, value in arguments.items():
                self._known[name].append(value)
        self._everywhere: dict[str, list[ast.expr]] = defaultdict(list)
        for name, value in bindings.everywhere():
            self._everywhere[normal(name)].append(value)
        self._steps = 0
        self._path: list[object] = []

    def read(self, node: ast.expr) -> Readings:
        """All values that the expression may have; none if it cannot be read.

        Raises:
            BadSource: the constants of this module take too many steps to follow.
        """
        self._path.clear()
        try:
            return self._read(node)
        except _Unreadable:
            return ()

    def bound(self, name: str) -> list[ast.expr]:
        """Every expression that the source binds to a name, in the order of its lines."""
        found = {id(node): node for node in self._everywhere.get(normal(name), ())}
        return sorted(found.values(), key=lambda node: (node.lineno, node.col_offset))

    def _read(self, node: ast.expr) -> Readings:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise BadSource(
                "source", "its constants lead to one another too often", "Name each number once."
            )
        if len(self._path) > MAX_DEPTH:
            raise _Unreadable
        self._path.append(node)
        try:
            return self._read_one(node)
        finally:
            self._path.pop()

    def _read_one(self, node: ast.expr) -> Readings:
        match node:
            case ast.Constant(value=str() | bool() | int() | float() as value):
                return (Reading(_bounded(value)),)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return (Reading(tuple(self._single(part) for part in parts)),)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return tuple(
                    Reading(-_number(one), parts=(one,) if one.names or one.parts else ())
                    for one in self._read(operand)
                )
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                pairs = list(product(self._read(left), self._read(right)))
                self._steps += len(pairs)
                return _few(_computed(OPERATORS[type(op)], *pair) for pair in pairs)
            case ast.IfExp(body=body, orelse=other):
                return _few((*self._read(body), *self._read(other)))
            case ast.NamedExpr(value=value):
                return self._read(value)
            case ast.Name(id=name):
                return self._named(name, self._bindings.names(node))
            case ast.Attribute(attr=name):
                return self._named(name, self._bindings.fields.get(name) or self._known.get(name))
            case (
                ast.Subscript(slice=ast.Constant(value=str(name)))
                | ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_])
            ):
                return self._named(name, self._bindings.entries.get(name))
        raise _Unreadable

    def _single(self, node: ast.expr) -> Value:
        found = self._read(node)
        if len(found) != 1:
            raise _Unreadable
        return found[0].value

    def _named(self, name: str, bounds: list[Bound] | None) -> Readings:
        if not bounds:
            raise _Unreadable
        found: list[Reading] = []
        for bound in bounds:
            for node in self._bindings.values(bound) if isinstance(bound, Parameter) else [bound]:
                if node is None:
                    raise _Unreadable
                if node not in self._path:  # a name that leads back to itself adds nothing
                    found += self._read(node)
            if isinstance(bound, Parameter) and not found:
                raise _Unreadable
        return _few(replace(one, names=one.names | {normal(name)}) for one in found)


def _few(readings: Iterable[Reading]) -> Readings:
    found = dict.fromkeys(readings)
    if len(found) > MAX_READINGS:
        raise _Unreadable
    return tuple(found)


def _computed(operation: Callable[[float, float], float], left: Reading, right: Reading) -> Reading:
    try:
        value = operation(_number(left), _number(right))
    except (ArithmeticError, ValueError) as error:
        raise _Unreadable from error
    return Reading(_bounded(value), parts=(left, right))


def _number(reading: Reading) -> float:
    if not isinstance(reading.value, int | float):
        raise _Unreadable
    return reading.value


def _bounded(value: str | float) -> str | float:
    if is_number(value) and not abs(value) <= MAX_SIZE:  # type: ignore[arg-type]
        raise _Unreadable
    return value
