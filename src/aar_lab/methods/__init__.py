"""Published methods, one file each; `METHODS` is their registry."""

from __future__ import annotations

from types import ModuleType

from aar_lab.errors import UnknownName
from aar_lab.methods import confident, logconf, naive, self_distill, soft
from aar_lab.methods.base import Method


def _method(module: ModuleType) -> Method:
    name = module.__name__.rsplit(".", 1)[-1]
    summary = (module.__doc__ or "").split("\n", 1)[0]
    return Method(name, module.train, module.Args, module.FAMILY, summary)


METHODS = {m.name: m for m in map(_method, (naive, soft, confident, logconf, self_distill))}


def get_method(name: str) -> Method:
    """The registered method of that name; `UnknownName` names those that exist."""
    if name not in METHODS:
        raise UnknownName(name, "no such method", f"Known are: {', '.join(METHODS)}.")
    return METHODS[name]
