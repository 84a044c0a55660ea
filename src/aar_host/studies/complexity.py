"""How complex the idea of a method is, by three counts of its source.

- nodes: of the syntax tree without docstrings, comments and annotations, which do nothing.
- components: families that it belongs to, see `families`; a plain fine-tuning has none.
- description: bytes that its tree adds to a compressed corpus of the registered methods (LZMA), so
  that what is published already costs little: a conditional description length.

Names are numbered in the order of their appearance, so that no choice of words counts.
"""

from __future__ import annotations

import ast
import lzma
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from aar_host.studies.families import OTHER, family_of
from aar_lab.cards import parse
from aar_lab.methods import NAMES

KEPT = 4096
# Without a header or a checksum; the dictionary holds the corpus and any source as well.
_FILTERS: list[Mapping[str, Any]] = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 22}]


@dataclass(frozen=True)
class Complexity:
    """The three counts of the module."""

    nodes: int
    components: int
    description: int

    def as_dict(self) -> dict[str, int]:
        """As JSON."""
        return asdict(self)


@lru_cache(KEPT)
def complexity_of(source: str) -> Complexity:
    """The counts of a source, which is read and not run; `BadSource` if it is not Python."""
    tree = parse(source)
    families = [name for name in family_of(source).all if name != OTHER]
    try:
        tree = _Bare().visit(tree)
        text = _canonical(tree)
    except RecursionError:  # nested as nobody nests: its words are counted as well
        text = source.encode("utf-8", "surrogatepass")
    return Complexity(
        nodes=sum(1 for _ in ast.walk(tree)),
        components=len(families),
        description=max(0, _size(_corpus() + text) - _corpus_size()),
    )


class _Bare(ast.NodeTransformer):
    """Takes away what does nothing: docstrings, annotations, FAMILY."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return None if names == ["FAMILY"] else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def _canonical(tree: ast.AST) -> bytes:
    """The tree as text, in which names that the source gives are numbered."""
    given: dict[str, str] = {}
    bound = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _stores(n)]
    bound += [n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)]
    bound += [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    for node in ast.walk(tree):
        for field in ("id", "arg", "name"):
            name = getattr(node, field, None)
            if name in bound and isinstance(name, str):
                setattr(node, field, given.setdefault(name, f"v{len(given)}"))
    return ast.dump(tree).encode("utf-8", "surrogatepass")


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _size(text: bytes) -> int:
    return len(lzma.compress(text, lzma.FORMAT_RAW, filters=_FILTERS))


@cache
def _corpus_size() -> int:
    return _size(_corpus())


@cache
def _corpus() -> bytes:
    sources = (files("aar_lab.methods").joinpath(f"{name}.py").read_text("utf-8") for name in NAMES)
    return b"".join(_canonical(_Bare().visit(parse(source))) for source in sources)
