"""Digests of the code that weights depend on: a change elsewhere leaves results where they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import aar_lab
from aar_host.anchors import students
from aar_lab.digest import digest_bytes, digest_json
from aar_lab.learners.machine import library_versions
from aar_lab.methods import NAMES

LAB = Path(next(iter(aar_lab.__path__)))
PREFIX = "aar_lab.methods."


def code_digest(methods: Iterable[str] = NAMES) -> str:
    """Digest of all code and libraries that the students of the given methods depend on."""
    files = [
        path
        for folder in ("learners", "experiment", "problems")
        for path in sorted((LAB / folder).glob("*.py"))
    ]
    files += [Path(students.__file__), LAB / "rng.py", LAB / "types.py"]
    files += sorted({path for name in methods for path in files_of_method(name)})
    return digest_json([*(digest_bytes(path.read_bytes()) for path in files), library_versions()])


def files_of_method(name: str) -> list[Path]:
    """The file of a method and those of the methods and helpers that it imports."""
    found: dict[str, Path] = {}
    todo = [name, "base"]
    while todo:
        module = todo.pop()
        path = LAB / "methods" / f"{module}.py"
        if module in found or not path.exists():
            continue
        found[module] = path
        todo += _imported(path)
    return sorted(found.values())


def _imported(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            if f"{node.module}." == PREFIX:
                found += [alias.name for alias in node.names]
            elif node.module.startswith(PREFIX):
                found.append(node.module.removeprefix(PREFIX))
    return found
