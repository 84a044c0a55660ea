"""Expressions of a method's source as abstract values; see `tracing`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from aar_host.studies import calls
from aar_host.studies.values import (
    SOFT,
    TEXT,
    UNKNOWN,
    WEAK,
    Facts,
    Function,
    Klass,
    Library,
    Pupil,
    Scope,
    Value,
    either,
    element,
    everything,
    hardened,
    looked_up,
    mixed,
)

SIDES = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)
MAX_NUMBER = 1e9
_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_PARTS: Mapping[tuple[str, str], Callable[[], Value]] = {
    ("task", "inputs"): lambda: Value(thing="inputs"),
    ("task", "weak"): lambda: Value(thing="weak"),
    ("weak", "probs"): lambda: Value(frozenset({WEAK, SOFT})),
    ("inputs", "data"): lambda: Value(frozenset({TEXT})),
}
_SIZES = ("shape", "size", "ndim", "dtype", "layers", "templates", "ids")


class Run(Protocol):
    """What evaluates calls; see `tracing.Trace`."""

    facts: Facts

    def spend(self) -> None: ...

    def imported(self, path: str) -> Value: ...

    def call(
        self, function: Function, given: Sequence[Value], named: dict[str, Value]
    ) -> Value: ...

    def bind(self, target: ast.expr, value: Value, scope: Scope) -> None: ...


def evaluate(node: ast.expr, scope: Scope, run: Run) -> Value:
    """What an expression is."""
    run.spend()
    match node:
        case ast.Constant(value=constant):
            return Value(constant=constant)
        case ast.Name(id=name):
            return scope.find(name) or Value(thing=Library(f"builtins.{name}"))
        case ast.Attribute(value=inner, attr=name):
            return _attribute(evaluate(inner, scope, run), name, run)
        case ast.Call():
            return _call(node, scope, run)
        case ast.Subscript(value=inner, slice=index):
            return _subscript(evaluate(inner, scope, run), evaluate(index, scope, run))
        case ast.Compare():
            return _compare(node, scope, run)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            known = evaluate(test, scope, run).truth
            if known is not None:
                return evaluate(body if known else orelse, scope, run)
            return either(evaluate(body, scope, run), evaluate(orelse, scope, run))
        case ast.Lambda():
            return Value(thing=Function(node, scope))
        case ast.NamedExpr(target=target, value=value):
            found = evaluate(value, scope, run)
            run.bind(target, found, scope)
            return found
        case _:
            return _composed(node, scope, run)


def _composed(node: ast.expr, scope: Scope, run: Run) -> Value:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            one, other = evaluate(left, scope, run), evaluate(right, scope, run)
            found = mixed([one, other])
            found.constant = _folded(type(op), one, other)
            return found
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = evaluate(operand, scope, run)
            known = found.truth
            return Value(everything(found), UNKNOWN if known is None else not known)
        case ast.UnaryOp(operand=operand):
            return mixed([evaluate(operand, scope, run)])
        case ast.BoolOp(values=values):
            return mixed([evaluate(one, scope, run) for one in values])
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return Value(parts=[evaluate(one, scope, run) for one in parts])
        case ast.Starred(value=value) | ast.Await(value=value):
            return evaluate(value, scope, run)
        case ast.Dict(keys=keys, values=values):
            return _dict(keys, values, scope, run)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            return _comprehension(node, scope, run)
        case ast.Slice():
            parts = [one for one in (node.lower, node.upper, node.step) if one is not None]
            return mixed([evaluate(one, scope, run) for one in parts])
        case _:
            return Value()


def _dict(
    keys: Sequence[ast.expr | None], values: Sequence[ast.expr], scope: Scope, run: Run
) -> Value:
    held = [evaluate(value, scope, run) for value in values]
    found = mixed(held)
    for key, value in zip(keys, held, strict=True):
        match key:
            case ast.Constant(value=str(name)):
                found.fields[name] = value
            case None:
                found.fields |= value.fields
    found.parts = held
    return found


def _comprehension(
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope, run: Run
) -> Value:
    """A list of the one element that stands for all."""
    inside = Scope({}, scope)
    for loop in node.generators:
        over = evaluate(loop.iter, inside, run)
        if over.constant == range(0):
            return Value(parts=[])
        run.bind(loop.target, element(over), inside)
        for test in loop.ifs:
            evaluate(test, inside, run)
    if isinstance(node, ast.DictComp):
        evaluate(node.key, inside, run)
        return Value(parts=[evaluate(node.value, inside, run)])
    return Value(parts=[evaluate(node.elt, inside, run)])


def _compare(node: ast.Compare, scope: Scope, run: Run) -> Value:
    sides = [evaluate(one, scope, run) for one in (node.left, *node.comparators)]
    if len(sides) == 2:
        known = _folded(type(node.ops[0]), *sides)
        if known is not UNKNOWN:
            return Value(constant=known)
    if isinstance(node.ops[0], SIDES):
        return hardened(mixed(sides))
    if any(one.constant is not UNKNOWN for one in sides):
        return Value()  # where something is exactly ½, or of one mode, says little about a label
    return hardened(mixed(sides))


def _folded(op: type[ast.AST], one: Value, other: Value) -> Any:
    """The result of an operation on small numbers or equal texts; else UNKNOWN."""
    known, pair = _OPERATORS.get(op), (one.constant, other.constant)
    numbers = all(isinstance(side, int | float) and abs(side) < MAX_NUMBER for side in pair)
    texts = op in (ast.Eq, ast.NotEq) and all(isinstance(side, str) for side in pair)
    if known is None or not (numbers or texts):
        return UNKNOWN
    try:
        return known(*pair)
    except ArithmeticError:
        return UNKNOWN


def _attribute(owner: Value, name: str, run: Run) -> Value:
    if isinstance(owner.thing, Library):
        return run.imported(f"{owner.thing.path}.{name}")
    if isinstance(owner.thing, str) and (owner.thing, name) in _PARTS:
        return _PARTS[owner.thing, name]()
    if name in owner.fields:
        return owner.fields[name]
    if isinstance(owner.thing, Klass):
        return owner.thing.inside.names.get(name) or Value(owner.tags)
    if name in _SIZES:
        return Value()
    return Value(everything(owner))


def _subscript(owner: Value, index: Value) -> Value:
    place = index.constant
    if isinstance(place, str) and place in owner.fields:
        return owner.fields[place]
    if owner.parts and isinstance(place, int) and -len(owner.parts) <= place < len(owner.parts):
        return owner.parts[place]
    found = looked_up(owner, index)
    if owner.parts and any(isinstance(part.thing, Pupil) for part in owner.parts):
        found.thing = element(owner).thing
    return found


def _call(node: ast.Call, scope: Scope, run: Run) -> Value:
    given = [evaluate(one, scope, run) for one in node.args]
    named = {one.arg or "": evaluate(one.value, scope, run) for one in node.keywords}
    if isinstance(node.func, ast.Attribute):
        owner = evaluate(node.func.value, scope, run)
        if not isinstance(owner.thing, Library):
            return _method(node, owner, calls.Given(given, named), run)
    callee = evaluate(node.func, scope, run).thing
    if isinstance(callee, Function):
        return run.call(callee, given, named)
    if isinstance(callee, Klass):
        return _made(callee, given, named)
    if isinstance(callee, Library):
        return calls.library(callee, calls.Given(given, named), run.facts, run.call)
    return mixed([*given, *named.values()])


def _method(node: ast.Call, owner: Value, given: calls.Given, run: Run) -> Value:
    assert isinstance(node.func, ast.Attribute)
    name = node.func.attr
    if isinstance(owner.thing, Klass):
        own = owner.thing.inside.names.get(name)
        if own is not None and isinstance(own.thing, Function):
            return run.call(own.thing, [owner, *given.places], given.names)
    field = owner.fields.get(name)
    if field is not None and isinstance(field.thing, Function):
        return run.call(field.thing, given.places, given.names)
    where = ast.dump(node.args[0]) if node.args else ""
    return calls.method(owner, name, given, calls.Place(run.facts, where))


def _made(klass: Klass, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """An object of a class of the source; fields that are not given have their defaults."""
    defaults = {
        name: klass.inside.names[name] for name in klass.order if name in klass.inside.names
    }
    fields = defaults | dict(zip(klass.order, given, strict=False)) | dict(named)
    return Value(thing=klass, fields=fields)
