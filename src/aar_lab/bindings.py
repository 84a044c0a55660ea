"""What the names of a source are bound to, kind by kind; the source is read, never run."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from aar_lab.errors import BadSource

# Bounds on what a hostile source can make this cost.
MAX_UNPACKED, MAX_PAIRS = 64, 20_000

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, eq=False)
class Signature:
    """What a function or a class of the file is called, and with which parameters.

    Args:
        method: whether it is called as an attribute.
    """

    called: str
    positional: tuple[str, ...]
    defaults: Mapping[str, ast.expr]
    method: bool = False


@dataclass(frozen=True, eq=False)
class Parameter:
    """Bound to whatever the calls of its function give it."""

    signature: Signature
    name: str


# None stands for what is not followed: a loop, an import, something unpacked.
Bound = ast.expr | Parameter | None


@dataclass(eq=False)
class Scope:
    """A module, class or function, and what its own names are bound to."""

    node: ast.AST
    parent: Scope | None = None
    names: dict[str, list[Bound]] = field(default_factory=lambda: defaultdict(list))


class Bindings:
    """All bindings of one module.

    Args:
        known: names of classes from elsewhere, each with its parameters in their order.

    Attributes:
        calls: all calls; `partial(f, …)` is one of `f`.
        entries: what dicts hold, by key, whichever the dict.
        fields: what attributes hold, by name, whichever the object.

    Raises:
        BadSource: it defines and calls functions of one name too often to be followed.
    """

    def __init__(self, module: ast.Module, known: Mapping[str, Sequence[str]]) -> None:
        self.calls: list[ast.Call] = []
        self.entries: dict[str, list[Bound]] = defaultdict(list)
        self.fields: dict[str, list[Bound]] = defaultdict(list)
        self._known, self._aliases = known, dict[str, str]()
        self._scopes: dict[int, Scope] = {}
        self._all: list[Scope] = []
        self._signatures: list[Signature] = []
        self._taken: set[int] = set()
        self._walk(module)
        self._given = self._match_calls()

    def names(self, node: ast.Name) -> list[Bound]:
        """What a name is bound to where it stands; nothing if nothing binds it."""
        scope = here = self._scopes.get(id(node))
        while scope is not None:
            if node.id in scope.names and (
                scope is here or not isinstance(scope.node, ast.ClassDef)
            ):
                return scope.names[node.id]
            scope = scope.parent
        return []

    def values(self, parameter: Parameter) -> list[ast.expr]:
        """What calls give a parameter, and its default if a call leaves it out or none is seen."""
        signature, name = parameter.signature, parameter.name
        calls = self._given[signature]
        found = [given[name] for given in calls if name in given]
        left_out = len(found) < len(calls) or not calls or signature.called == "train"
        default = signature.defaults.get(name) if left_out else None
        return [*found, default] if default else found

    def given(self) -> Iterator[tuple[str, dict[str, ast.expr]]]:
        """The calls of known classes, each with what it gives to which parameter."""
        for call in self.calls:
            name = self.called(call.func)
            if name in self._known:
                yield name, self.arguments(call, self._known[name])

    def called(self, node: ast.expr) -> str:
        """The last word of what is called, and of a known class its own name."""
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        return self._aliases.get(name, name)

    def arguments(self, call: ast.Call, names: Sequence[str]) -> dict[str, ast.expr]:
        """What a call gives to each parameter, as far as it can be told."""
        plain = [isinstance(one, ast.Starred) for one in call.args]
        before = call.args[: plain.index(True)] if True in plain else call.args
        given = dict(zip(names, before, strict=False))
        for word in call.keywords:
            given |= (
                {word.arg: word.value}
                if word.arg
                else dict(islice(self._unpacked(word.value), MAX_UNPACKED))
            )
        return given

    def everywhere(self) -> Iterator[tuple[str, ast.expr]]:
        """Every name with every expression that is bound to it, whatever the kind of binding."""
        for table in (*(scope.names for scope in self._all), self.entries, self.fields):
            for name, bounds in table.items():
                yield from ((name, one) for one in bounds if isinstance(one, ast.expr))
        for signature, calls in self._given.items():
            for given in (*calls, signature.defaults):
                yield from given.items()
        for call in self.calls:
            yield from self.arguments(call, self._known.get(self.called(call.func), ())).items()

    def _walk(self, module: ast.Module) -> None:
        """Visit all nodes, outer ones first, without recursion: a source may be deeply nested."""
        waiting: list[tuple[ast.AST, Scope | None]] = [(module, None)]
        for node, outer in waiting:
            scope = outer
            if outer is None or isinstance(node, Function | ast.ClassDef):
                scope = Scope(node, outer)
                self._all.append(scope)
                self._sign(node, scope)
            assert scope is not None
            self._scopes.setdefault(id(node), scope)
            self._visit(node, scope)
            waiting += [(child, scope) for child in ast.iter_child_nodes(node)]

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, value, scope)
                    if isinstance(scope.node, ast.ClassDef) and isinstance(target, ast.Name):
                        self.fields[target.id].append(value)
            case (
                ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.NamedExpr(target=target, value=value)
            ):
                self._bind(target, value, scope)
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in self._taken:
                scope.names[name].append(None)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                scope.names[name].append(None)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    scope.names[name].append(None)
                    self._all[0].names[name].append(None)
            case ast.ImportFrom(names=names):
                self._aliases |= {
                    one.asname: one.name for one in names if one.asname and one.name in self._known
                }
            case ast.Dict(keys=keys, values=values):
                for key, value in _entries(keys, values):
                    self.entries[key].append(value)
            case ast.Call():
                self._note(node)

    def _bind(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self._taken.add(id(target))
                scope.names[name].append(value)
                if self.called(value) in self._known:
                    self._aliases[name] = self.called(value)
            case ast.Attribute(attr=name), _:
                self.fields[name].append(value)
            case ast.Subscript(slice=ast.Constant(value=str(name))), _:
                self.entries[name].append(value)
            case ((ast.Tuple() | ast.List()), (ast.Tuple() | ast.List())):
                if len(target.elts) == len(value.elts):
                    for one, part in zip(target.elts, value.elts, strict=True):
                        self._bind(one, part, scope)

    def _note(self, call: ast.Call) -> None:
        name = self.called(call.func)
        if name == "partial" and call.args:
            call = ast.Call(call.args[0], call.args[1:], call.keywords)
        elif name in ("dict", "update"):
            for word in call.keywords:
                if word.arg:
                    self.entries[word.arg].append(word.value)
        self.calls.append(call)

    def _sign(self, node: ast.AST, scope: Scope) -> None:
        """Bind the parameters of a function, and the fields of a class, to what calls give."""
        if isinstance(node, ast.ClassDef):
            annotated = [one for one in node.body if isinstance(one, ast.AnnAssign)]
            fields = {
                one.target.id: one.value for one in annotated if isinstance(one.target, ast.Name)
            }
            given = {name: value for name, value in fields.items() if value is not None}
            signature = Signature(node.name, tuple(fields), given)
            for name in fields:
                self.fields[name].append(Parameter(signature, name))
        elif isinstance(node, Function):
            signature = _signature(node, scope.parent)
            every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            for one in every:
                scope.names[one.arg].append(Parameter(signature, one.arg))
            for default in signature.defaults.values():
                for inside in ast.walk(default):
                    if scope.parent is not None:
                        self._scopes[id(inside)] = scope.parent
        else:
            return
        self._signatures.append(signature)

    def _match_calls(self) -> dict[Signature, list[dict[str, ast.expr]]]:
        """Each function and class with what its calls give to which parameter."""
        calls: dict[tuple[str, bool], list[ast.Call]] = defaultdict(list)
        for call in self.calls:
            calls[self.called(call.func), isinstance(call.func, ast.Attribute)].append(call)
        found = {one: calls[one.called, one.method] for one in self._signatures}
        if sum(map(len, found.values())) > MAX_PAIRS:
            raise BadSource(
                "source",
                f"it calls functions of one name more than {MAX_PAIRS} times",
                "Give every function a name of its own.",
            )
        return {
            one: [self.arguments(call, one.positional) for call in matching]
            for one, matching in found.items()
        }

    def _unpacked(self, node: ast.expr, deeper: bool = True) -> Iterator[tuple[str, ast.expr]]:
        """The entries of a dict that is unpacked into a call."""
        match node:
            case ast.Dict(keys=keys, values=values):
                yield from _entries(keys, values)
            case ast.Call(func=ast.Name(id="dict"), keywords=words):
                yield from ((word.arg, word.value) for word in words if word.arg)
            case ast.Name() if deeper:
                for bound in self.names(node):
                    if isinstance(bound, ast.expr):
                        yield from self._unpacked(bound, False)


def _entries(
    keys: Sequence[ast.expr | None], values: Sequence[ast.expr]
) -> Iterator[tuple[str, ast.expr]]:
    for key, value in zip(keys, values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, value


def _signature(node: Function, outer: Scope | None) -> Signature:
    """Of a function, as it is called from outside."""
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    lacking = len(names) - len(node.args.defaults)
    defaults = dict(zip(names[lacking:], node.args.defaults, strict=True))
    for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            defaults[one.arg] = default
    called = getattr(node, "name", "")
    home = outer.node if outer else None
    if not isinstance(home, ast.ClassDef):
        return Signature(called, tuple(names), defaults)
    own = tuple(names[1:] if names[:1] in (["self"], ["cls"]) else names)
    if called == "__init__":
        return Signature(home.name, own, defaults)
    return Signature(called, own, defaults, method=True)
