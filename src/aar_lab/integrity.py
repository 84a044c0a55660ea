"""Rules that a method's source keeps before anything trains it; read, never run.

They make a method say plainly what it does: it imports what computes and nothing that reaches
files, networks, processes or the interpreter, it asks its task for what a task offers, and it
carries no data of its own. A box holds against code that breaks them (see docs/threat-model.md);
the rules are for the reader, and for whoever would rather be told before an hour of training. They
are a reading of names: what a library does when called is not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from aar_lab.cards import MethodCard, parse
from aar_lab.errors import BadSource

# What computes. Of a package in the second table only the parts named there may be used.
STANDARD = frozenset(
    "__future__ abc bisect collections copy dataclasses enum fractions functools heapq itertools "
    "math numbers operator statistics string textwrap typing warnings".split()
)
PARTS: Mapping[str, frozenset[str]] = {
    "numpy": frozenset({"typing", "linalg", "random", "fft", "ma", "polynomial"}),
    "scipy": frozenset(
        "cluster fft integrate interpolate linalg ndimage optimize signal sparse spatial special "
        "stats".split()
    ),
    "sklearn": frozenset(
        "base calibration cluster covariance cross_decomposition decomposition "
        "discriminant_analysis dummy ensemble exceptions feature_selection gaussian_process "
        "isotonic kernel_approximation kernel_ridge linear_model manifold metrics mixture "
        "model_selection multiclass naive_bayes neighbors neural_network pipeline preprocessing "
        "random_projection semi_supervised svm tree".split()
    ),
    "cleanlab": frozenset({"classification", "count", "filter", "rank"}),
    "aar_lab": frozenset({"errors", "learners", "methods", "metrics", "problems", "rng", "types"}),
}
# Parts of allowed packages that read files, load code, or are the machinery behind a learner.
CLOSED = (
    "aar_lab.learners.gpt",
    "aar_lab.learners.machine",
    "aar_lab.learners.pretraining",
    "aar_lab.problems.bundle",
)
CALLS = frozenset(
    "eval exec compile open input breakpoint globals locals vars setattr delattr "
    "memoryview exit quit help".split()
)
# Attributes of modules that touch files or lead to another module.
REACHING = frozenset(
    "load save savez savez_compressed savetxt loadtxt genfromtxt fromfile fromregex memmap "
    "open_memmap DataSource core compat ctypeslib f2py lib test testing distutils datasets io os "
    "sys builtins importlib inspect pathlib pickle shutil socket subprocess types weakref".split()
)
# Attributes that touch files or lead out of an object, whatever the object is.
ESCAPES = frozenset(
    "tofile dump ctypes attrgetter methodcaller Formatter get_field get_type_hints ForwardRef "
    "make_dataclass f_back f_globals f_locals f_builtins gi_frame cr_frame ag_frame tb_frame "
    "co_code func_globals mro".split()
)
PLAIN_DUNDERS = frozenset({"__init__", "__post_init__", "__name__", "__doc__", "__version__"})
OWN = ("self", "cls")
TASK = frozenset({"inputs", "weak", "student", "formats", "alternatives", "in_both_orders"})
MAX_LITERAL, MAX_ELEMENTS = 1000, 256


@dataclass(frozen=True)
class Violation:
    """A rule that the source breaks: at which line, by what, and how to keep it."""

    line: int
    rule: str
    found: str
    remedy: str

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


# Reads a source that parses, with its card, and says what it breaks; a language model can be one.
Monitor = Callable[[str, MethodCard], list[Violation]]


def read_rules(source: str, _card: MethodCard | None = None) -> list[Violation]:
    """What the source breaks, in the order of its lines. `BadSource` if it is not Python."""
    module = parse(source)
    reader = _Reader(module)
    for node in ast.walk(module):
        reader.read(node)
    return sorted(reader.found, key=lambda violation: (violation.line, violation.found))


def check_integrity(source: str, card: MethodCard, monitors: Sequence[Monitor]) -> None:
    """Raise `BadSource` with the line and the rule if a monitor finds the source at fault."""
    found = [violation for monitor in monitors for violation in monitor(source, card)]
    if found:
        first, others = found[0], len(found) - 1
        more = f" (and {others} more)" if others else ""
        raise BadSource(f"line {first.line}", f"{first.found}: {first.rule}{more}", first.remedy)


class _Reader:
    """Collects what the nodes of one module break."""

    def __init__(self, module: ast.Module) -> None:
        self.found: list[Violation] = []
        self._homes = dict(_homes(module))
        self._values = set(_modules_as_values(module))
        self._texts = {id(text) for text in _docstrings(module)}
        self._tasks = set(_task_names(module))

    def read(self, node: ast.AST) -> None:
        """Apply the rules of the node's kind."""
        match node:
            case ast.Import(names=names):
                for name in names:
                    self._import(node, name.name)
            case ast.ImportFrom(names=names):
                self._import_from(node, [name.name for name in names])
            case ast.Name(id=name):
                self._name(node, name)
            case ast.Attribute(value=owner, attr=name):
                self._attribute(node, owner, name)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
                self._attribute(node, None, name)
            case ast.Call(func=ast.Name(id="getattr")):
                self._break(node, "getattr", "reaches what no reader can name")
            case ast.MatchClass(kwd_attrs=words):
                for word in words:
                    self._attribute(node, None, word)
            case ast.Constant(value=str(text) | bytes(text)) if id(node) not in self._texts:
                self._size(node, len(text), MAX_LITERAL)
            case ast.Constant(value=int(number)) if not isinstance(number, bool):
                self._size(node, number.bit_length() // 8, MAX_LITERAL)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                self._size(node, len(parts), MAX_ELEMENTS)
            case ast.Dict(values=parts):
                self._size(node, len(parts), MAX_ELEMENTS)

    def _break(self, node: ast.AST, found: str, rule: str, remedy: str = "Leave it out.") -> None:
        self.found.append(Violation(getattr(node, "lineno", 1), rule, found, remedy))

    def _import(self, node: ast.AST, name: str) -> None:
        if not _allowed(name):
            self._break(node, f"import of {name}", "not among what computes", _USE)

    def _import_from(self, node: ast.ImportFrom, names: Sequence[str]) -> None:
        home = node.module or ""
        if node.level or not _allowed(home):
            self._break(
                node, f"import from {'.' * node.level}{home}", "not among what computes", _USE
            )
            return
        for name in names:
            inside = f"{home}.{name}"
            if name == "*" or name.startswith("_") or name in REACHING | ESCAPES:
                self._break(node, f"import of {inside}", "reaches more than what computes", _USE)
            elif not _reachable(inside):
                self._break(node, f"import of {inside}", "not among what computes", _USE)

    def _name(self, node: ast.AST, name: str) -> None:
        if name in CALLS:
            self._break(node, name, "reaches the interpreter or files")
        elif name.startswith("__") and name not in PLAIN_DUNDERS:
            self._break(node, name, "reaches the interpreter")
        elif id(node) in self._values:
            self._break(node, name, "a module is no value", "Name what you use of it.")

    def _attribute(self, node: ast.AST, owner: ast.expr | None, name: str) -> None:
        root, path = self._chain(owner, name)
        if (name.startswith("__") and name not in PLAIN_DUNDERS) or name in ESCAPES:
            self._break(node, f".{name}", "leads out of the object or touches files")
        elif root in self._homes and (name in REACHING or name.startswith("_")):
            self._break(node, f"{root}….{name}", "touches files or leads to another module")
        elif root in self._homes and not _reachable(path):
            self._break(node, path, "not among what computes", _USE)
        elif isinstance(owner, ast.Name) and owner.id in self._tasks and name not in TASK:
            self._break(
                node,
                f"{owner.id}.{name}",
                "a task has no such part",
                f"Use {', '.join(sorted(TASK))}.",
            )
        elif name.startswith("_") and root not in OWN and name not in PLAIN_DUNDERS:
            self._break(node, f".{name}", "is private to what it belongs to", "Use what is public.")

    def _chain(self, owner: ast.expr | None, name: str) -> tuple[str, str]:
        """The name at the left end of a chain of attributes ("" if there is none), and the chain
        from where that name comes from, with dots."""
        words = [name]
        while isinstance(owner, ast.Attribute):
            words.append(owner.attr)
            owner = owner.value
        root = owner.id if isinstance(owner, ast.Name) else ""
        return root, ".".join([self._homes.get(root, root), *words[::-1]])

    def _size(self, node: ast.AST, size: int, most: int) -> None:
        if size > most:
            self._break(
                node,
                f"a literal of {size}",
                f"a method carries no data (at most {most})",
                "Compute it.",
            )


_USE = f"Use {', '.join([*sorted(STANDARD - {'__future__'}), *PARTS])}; see docs/integrity.md."


def _allowed(name: str) -> bool:
    package, _, rest = name.partition(".")
    if package in STANDARD:
        return name in STANDARD or name == "collections.abc"
    parts = PARTS.get(package)
    hidden = any(word.startswith("_") for word in name.split("."))
    return (
        parts is not None
        and not (hidden or _closed(name))
        and (not rest or rest.split(".")[0] in parts)
    )


def _closed(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in CLOSED)


def _reachable(path: str) -> bool:
    """Whether what is used of a package lies in a part that is allowed, and in no closed one."""
    package, part = path.split(".")[:2]
    return not _closed(path) and (
        package in ("numpy", *STANDARD) or part in PARTS.get(package, (part,))
    )


def _homes(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that imports bind, modules or not, and what they stand for, with dots."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield (
                    name.asname or name.name.partition(".")[0],
                    (name.name if name.asname else name.name.partition(".")[0]),
                )
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                yield name.asname or name.name, f"{node.module}.{name.name}"


def _modules_as_values(module: ast.Module) -> Iterator[int]:
    """Names of imported modules that are not followed by what is used of them."""
    bound = {
        name.asname or name.name.partition(".")[0]
        for node in ast.walk(module)
        if isinstance(node, ast.Import)
        for name in node.names
    }
    owners = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id in bound and id(node) not in owners:
            yield id(node)


def _docstrings(module: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str()) as text), *_]:
                    yield text


def _task_names(module: ast.Module) -> Iterator[str]:
    """What `train` calls its task."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name == "train":
            yield from (argument.arg for argument in [*node.args.posonlyargs, *node.args.args][:1])
