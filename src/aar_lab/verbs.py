"""What a researcher's verb is: a function, its parameters, and how each door hands them in."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from aar_lab.client import Client
from aar_lab.errors import BadInput, BadSource
from aar_lab.types import MAX_SOURCE_BYTES

Connect = Callable[[], Client]
Run = Callable[..., dict[str, Any]]


class TextFile(str):
    """A kind of parameter: the function gets a text. On the command line it is named by a path and
    read from there; anywhere else the text itself is handed in, so that no server opens a path
    that a client names."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a verb.

    Args:
        name: as the function calls it; `builds_on` becomes the option `--builds-on`.
        kind: str, int, float, TextFile, or Path: a place in the box, unknown outside of it.
        place: an argument is positional; an option has a name and may be left out.
        default: value of an option that is left out.
        optional: whether an argument may be left out.
        many: whether it may be repeated; its value is then a tuple.
        choices: the values allowed, or () for any.
        limit: of the bytes of a TextFile.
        most: largest number for a server, where a call that waits keeps a thread busy.
    """

    name: str
    kind: type
    help: str
    place: Literal["argument", "option"] = "option"
    default: float | None = None
    optional: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()
    limit: int = MAX_SOURCE_BYTES
    most: float | None = None


@dataclass(frozen=True)
class Verb:
    """Something that a researcher can do: `function(connect, **parameters)` returns JSON.

    `local` marks one that runs code of the researcher: it exists only where a box is.
    """

    name: str
    summary: str
    example: str
    function: Run | str
    parameters: tuple[Parameter, ...] = ()
    local: bool = False

    def load(self) -> Run:
        """The function itself; imports its module if it is only named so far."""
        if isinstance(self.function, str):
            return cast(Run, pkgutil.resolve_name(self.function))
        return self.function


def read_source(file: Path, limit: int = MAX_SOURCE_BYTES) -> str:
    """The text of a file of at most `limit` bytes.

    Raises:
        BadInput: it cannot be read.
        BadSource: it is no text, or too long.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(limit + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise BadInput(file, f"cannot be read ({error.strerror})", "Give a file.") from error
    except UnicodeDecodeError as error:
        raise BadSource(file, f"not UTF-8 at byte {error.start}", "Save it as UTF-8.") from error
    if len(content) > limit:
        raise BadSource(file, f"more than {limit} bytes", "Shorten it.")
    return text
