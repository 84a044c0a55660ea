"""What a method does, told by following values through its source; the source is never run.

An abstract run of `train`: branches whose condition the source fixes are taken, of others both;
loops turn twice; calls are followed into the file's functions and into those of registered methods.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files

from aar_host.studies.expressions import evaluate
from aar_host.studies.values import (
    STEP,
    Facts,
    Function,
    Klass,
    Library,
    Scope,
    Value,
    either,
    element,
    everything,
    mixed,
)
from aar_lab.cards import parse
from aar_lab.methods import NAMES

TURNS, MAX_STEPS, MAX_DEPTH = 2, 60_000, 16
REGISTERED = "aar_lab.methods."
ROLES = ("task", "rng")
_ENDS = (ast.Raise, ast.Break, ast.Continue)


class TooMuchError(Exception):
    """The source takes more steps than it is worth."""


class Trace:
    """One abstract run; what was seen is in `facts`."""

    def __init__(self) -> None:
        self.facts = Facts()
        self._left, self._depth = MAX_STEPS, 0
        self._modules: dict[str, Scope] = {}

    def spend(self) -> None:
        """Count a step."""
        self._left -= 1
        if self._left < 0:
            raise TooMuchError

    def module(self, module: ast.Module) -> Scope:
        """The names that a module defines."""
        scope = Scope({}, None)
        self._block(module.body, scope, [])
        return scope

    def imported(self, path: str) -> Value:
        """What stands behind a dotted path; registered methods are followed, all else is not."""
        name, _, inside = path.removeprefix(REGISTERED).partition(".")
        if not path.startswith(REGISTERED) or name not in NAMES or not inside:
            return Value(thing=Library(path))
        if name not in self._modules:
            self._modules[name] = Scope({}, None)  # while it is read, so that a circle ends
            self._modules[name] = self.module(_registered(name))
        return self._modules[name].names.get(inside) or Value(thing=Library(path))

    def call(self, function: Function, given: Sequence[Value], named: dict[str, Value]) -> Value:
        """What a function gives back; what it does to students is noted on the way."""
        if self._depth >= MAX_DEPTH:
            return mixed([*given, *named.values()])
        scope = Scope(_parameters(self, function, given, named), function.scope)
        node = function.node
        if isinstance(node, ast.Lambda):
            return evaluate(node.body, scope, self)
        returned: list[Value] = []
        self._depth += 1
        try:
            self._block(node.body, scope, returned)
        finally:
            self._depth -= 1
        result = returned[0] if returned else Value()
        for other in returned[1:]:
            result = either(result, other)
        return result

    def _block(self, body: Sequence[ast.stmt], scope: Scope, returned: list[Value]) -> bool:
        """Whether what follows the block is not reached."""
        return any(self._statement(one, scope, returned) for one in body)

    def _statement(self, node: ast.stmt, scope: Scope, returned: list[Value]) -> bool:
        self.spend()
        match node:
            case ast.Return(value=value):
                returned.append(evaluate(value, scope, self) if value else Value())
                return True
            case ast.If(test=test):
                return self._branch(test, (node.body, node.orelse), scope, returned)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(node, scope, returned)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    held = evaluate(item.context_expr, scope, self)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, held, scope)
                return self._block(body, scope, returned)
            case ast.Try(body=body, orelse=orelse, finalbody=final):
                return self._block([*body, *orelse, *final], scope, returned)
            case ast.Match(subject=subject, cases=cases):
                evaluate(subject, scope, self)
                for case in cases:
                    self._block(case.body, scope, returned)
            case _ if isinstance(node, _ENDS):
                return True
            case _:
                self._binding(node, scope)
        return False

    def _binding(self, node: ast.stmt, scope: Scope) -> None:
        match node:
            case ast.Expr(value=value):
                evaluate(value, scope, self)
            case ast.Assign(targets=targets, value=value):
                found = evaluate(value, scope, self)
                for target in targets:
                    self.bind(target, found, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.bind(target, evaluate(value, scope, self), scope)
            case ast.AugAssign(target=target, value=value):
                before, added = evaluate(target, scope, self), evaluate(value, scope, self)
                sum_ = mixed([before, added])
                if before.parts is not None:
                    sum_.parts = [*before.parts, *(added.parts or [])]
                self.bind(target, sum_, scope)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                scope.names[name] = Value(thing=Function(node, scope))
            case ast.ClassDef(name=name, body=body):
                inside = Scope({}, scope)
                self._block(body, inside, [])
                scope.names[name] = Value(thing=Klass(name, inside, list(_fields(body))))
            case ast.Import(names=names):
                for one in names:
                    path = one.name if one.asname else one.name.partition(".")[0]
                    scope.names[one.asname or path] = Value(thing=Library(path))
            case ast.ImportFrom(module=home, names=names):
                for one in names:
                    found = self.imported(f"{home}.{one.name}")
                    scope.names[one.asname or one.name] = found

    def bind(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Give a name, or a part of something, a value."""
        match target:
            case ast.Name(id=name):
                scope.names[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                known = value.parts if value.parts and len(value.parts) == len(parts) else None
                for place, part in enumerate(parts):
                    piece = known[place] if known else Value(everything(value))
                    self.bind(part, piece, scope)
            case ast.Starred(value=inner):
                self.bind(inner, value, scope)
            case ast.Subscript(value=inner):
                owner = evaluate(inner, scope, self)
                owner.tags |= everything(value)
                if value.thing is not None:
                    owner.parts = [*(owner.parts or []), value]
            case ast.Attribute(value=inner, attr=name):
                evaluate(inner, scope, self).fields[name] = value

    def _branch(
        self,
        test: ast.expr,
        blocks: tuple[Sequence[ast.stmt], Sequence[ast.stmt]],
        scope: Scope,
        returned: list[Value],
    ) -> bool:
        known = evaluate(test, scope, self).truth
        if known is not None:
            return self._block(blocks[0] if known else blocks[1], scope, returned)
        before = dict(scope.names)
        ended = self._block(blocks[0], scope, returned)
        after, scope.names = scope.names, before
        ended_too = self._block(blocks[1], scope, returned)
        if not ended:
            scope.names = after if ended_too else _merged(after, scope.names)
        return ended and ended_too

    def _loop(
        self, node: ast.For | ast.AsyncFor | ast.While, scope: Scope, returned: list[Value]
    ) -> None:
        turn = Value(frozenset({STEP}))
        if isinstance(node, ast.While):
            if evaluate(node.test, scope, self).truth is False:
                return
        else:
            over = evaluate(node.iter, scope, self)
            if over.constant == range(0):
                return
            turn = element(over)
        for _ in range(TURNS):
            if not isinstance(node, ast.While):
                self.bind(node.target, turn, scope)
            self._block(node.body, scope, returned)
        self._block(node.orelse, scope, returned)


def _fields(body: Sequence[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _merged(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    return {
        name: either(one[name], other[name])
        if name in one and name in other
        else one.get(name) or other[name]
        for name in one.keys() | other.keys()
    }


def _parameters(
    trace: Trace, function: Function, given: Sequence[Value], named: dict[str, Value]
) -> dict[str, Value]:
    """What a call binds the parameters to: arguments, else defaults, else something unknown."""
    written = function.node.args
    places = [one.arg for one in (*written.posonlyargs, *written.args)]
    found = dict(zip(places, given, strict=False))
    names = {*places, *(one.arg for one in written.kwonlyargs)}
    found |= {name: value for name, value in named.items() if name in names}
    defaults = dict(zip(reversed(places), reversed(written.defaults), strict=False))
    keyed = zip(written.kwonlyargs, written.kw_defaults, strict=True)
    defaults |= {one.arg: value for one, value in keyed if value is not None}
    for name in names - found.keys():
        default = defaults.get(name)
        found[name] = evaluate(default, function.scope, trace) if default else Value()
    if written.vararg:
        found[written.vararg.arg] = Value(parts=list(given[len(places) :]))
    return found


@cache
def _registered(name: str) -> ast.Module:
    return parse(files("aar_lab.methods").joinpath(f"{name}.py").read_text(encoding="utf-8"))


def trace(source: str) -> Facts:
    """What a method's source does, as far as it could be followed; `BadSource` if not Python."""
    module, run = parse(source), Trace()
    with suppress(TooMuchError, RecursionError):
        train = run.module(module).names.get("train")
        if train is not None and isinstance(train.thing, Function):
            run.call(train.thing, [Value(thing=role) for role in ROLES], {})
    return run.facts
