"""The check of a submission's source text: parsed, never executed."""

from __future__ import annotations

import ast

from aar_lab.digest import digest_text
from aar_lab.errors import BadSource
from aar_lab.types import MAX_SOURCE_BYTES

REMEDY = "Define `def train(task, rng):` at the top level of the file; see `lab brief`."


def check_source(text: str) -> str:
    """Return the digest of a method's source, or raise `BadSource`.

    Accepted is UTF-8 text of at most `MAX_SOURCE_BYTES` bytes without NUL that parses as Python
    and defines a top-level function `train` which can be called as `train(task, rng)`.
    """
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise BadSource(
            f"character {error.start}", "a lone surrogate is no text", "Save it as UTF-8."
        ) from error
    if size > MAX_SOURCE_BYTES:
        raise BadSource(f"{size} bytes", f"more than {MAX_SOURCE_BYTES}", "Shorten the source.")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadSource(f"line {line}", "it holds a NUL character", "Remove it.")
    _check_train(_parse(text))
    return digest_text(text)


def _parse(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise BadSource(
            f"line {error.lineno}", f"not Python: {error.msg}", "Correct the syntax."
        ) from error
    except (RecursionError, MemoryError) as error:
        raise BadSource("source", "nested too deeply to be parsed", "Flatten it.") from error
    except ValueError as error:
        raise BadSource("source", f"not Python: {error}", "Correct the text.") from error


def _check_train(module: ast.Module) -> None:
    found = [
        node
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "train"
    ]
    if not found:
        raise BadSource("source", "it defines no top-level function `train`", REMEDY)
    train = found[-1]  # the last definition is the one that Python keeps
    if isinstance(train, ast.AsyncFunctionDef):
        raise BadSource(f"line {train.lineno}", "`train` must not be async", REMEDY)
    signature = train.args
    positional = [*signature.posonlyargs, *signature.args]
    required = len(positional) - len(signature.defaults)
    keywords = sum(default is None for default in signature.kw_defaults)
    if (len(positional) < 2 and signature.vararg is None) or required > 2 or keywords:
        raise BadSource(
            f"line {train.lineno}", "`train` cannot be called as train(task, rng)", REMEDY
        )
