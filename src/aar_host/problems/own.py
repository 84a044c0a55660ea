"""A problem of one's own, from a file: its faults are told by file and line, never as a crash."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import ContextDecorator
from pathlib import Path
from types import ModuleType, TracebackType

from aar_host.problems.base import ProblemSource
from aar_lab.digest import digest_text
from aar_lab.errors import BadSource

# Called with seed=, the world, and strong=, the strong student, or without either.
Kind = Callable[..., ProblemSource]


class OwnCode(ContextDecorator):
    """A context, or a decorator, that runs code of a file of one's own.

    Whatever it raises becomes `BadSource`, which names the last line of the file that was being
    run; an interrupt passes through.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say where it went wrong, unless that was said; `SystemExit` is a fault as well."""
        if isinstance(error, Exception | SystemExit) and not isinstance(error, BadSource):
            fault = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
            raise BadSource(self._place(error), fault, "Correct the file.") from error

    def _place(self, error: BaseException) -> str:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if self._own(frame.filename)]
        if isinstance(error, SyntaxError) and self._own(error.filename):
            lines.append(error.lineno)
        return f"{self._path}, line {lines[-1]}" if lines else str(self._path)

    def _own(self, name: str | None) -> bool:
        return name == str(self._path)


def load_kind(path: Path) -> Kind:
    """The class PROBLEM of a file, which is run with the host's rights.

    Raises:
        BadSource: the file cannot be read or run, or defines no class PROBLEM.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadSource(
            path, f"it cannot be read ({error.strerror})", "Give the path of a Python file."
        ) from error
    # Two files of one name are two modules; later on their classes are looked up by module.
    module = ModuleType(f"aar_problem_{path.stem}_{digest_text(str(path.resolve()))[:8]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    with OwnCode(path):
        exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102
    kind = module.__dict__.get("PROBLEM")
    if not isinstance(kind, type):
        raise BadSource(path, "it defines no class PROBLEM", "Set PROBLEM to your class.")
    return kind


def make_source(path: Path, kind: Kind, **chosen: int | str) -> ProblemSource:
    """An instance of the class PROBLEM of a file, with seed= and strong= as chosen.

    Faults of the file are told as `BadSource` also when it is drawn from later on.

    Raises:
        BadSource: it cannot be made, or lacks something that every problem has.
    """
    with OwnCode(path):
        source = kind(**chosen)
    wanted = [*ProblemSource.__annotations__, *vars(ProblemSource)]
    lacking = [n for n in wanted if not n.startswith("_") and not hasattr(source, n)]
    if lacking:
        raise BadSource(
            f"{path}, PROBLEM", f"it has no {', '.join(lacking)}", "Derive it from SingleProblem."
        )
    with OwnCode(path):
        source.public()
    for name in ("draw", "corpus", "base_weights"):
        setattr(source, name, OwnCode(path)(getattr(source, name)))
    return source
