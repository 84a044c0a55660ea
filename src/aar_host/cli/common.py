"""What all commands share: --json, typed errors, progress on stderr."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from aar_host.anchors.references import Progress as Report
from aar_lab.errors import LabError, Unavailable

Command = Callable[..., Mapping[str, Any] | list[Any] | None]


def json_option(command: Command) -> Callable[..., None]:
    """Add --json to a command that returns a document, and turn typed errors into exit code 1.

    With --json exactly one JSON document is written to stdout: the command's, or {"error": …}.
    Without, the command has shown its result itself, and an error goes to stderr. A document with
    "ok": false ends with exit code 1 as well.
    """

    @click.option("as_json", "--json", is_flag=True, help="Print one JSON document on stdout.")
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, **options: Any) -> None:
        try:
            document = command(*args, as_json=as_json, **options)
        except LabError as error:
            _fail(error, as_json)
        except OSError as error:
            place = str(error.filename or "the file system")
            fault = error.strerror or str(error)
            _fail(Unavailable(place, fault, "Free or change the place; see `aar doctor`."), as_json)
        if as_json:
            click.echo(json.dumps(document))
        if isinstance(document, Mapping) and document.get("ok") is False:
            sys.exit(1)

    return wrapped


def _fail(error: LabError, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"error": error.as_dict()}))
    else:
        click.echo(f"{error.code}: {error}", err=True)
    sys.exit(1)


@contextmanager
def progress() -> Iterator[Report]:
    """A bar on stderr; its value takes (what was done, how many are ready, of how many)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("preparing", total=None)

        def report(text: str, done: int, of: int) -> None:
            bars.update(task, description=text, completed=done, total=of)

        yield report
