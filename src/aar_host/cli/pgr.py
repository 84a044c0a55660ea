"""`aar pgr`: performance gap recovered from accuracies that were measured elsewhere."""

from __future__ import annotations

import sys
from typing import Any

import click
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console
from rich.table import Table

from aar_host.cli.common import json_option
from aar_host.scoring import estimate_as_dict
from aar_lab.errors import BadInput
from aar_lab.metrics import pgr_from_accuracies, reference

MAX_BYTES = 1_000_000
ROLES = ("weak", "ceiling", "transfer")
EXAMPLE = '{"weak": [0.6, 0.62], "ceiling": [0.9, 0.88], "transfer": [0.7, 0.72], "n_items": 500}'


class Accuracies(BaseModel):
    """The file: accuracy of each seed of each role, and on how many items they rest."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    weak: list[float]
    ceiling: list[float]
    transfer: list[float]
    n_items: int


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@json_option
def pgr(file: str, as_json: bool) -> dict[str, Any]:
    """Tell PGR and its 95 % interval from accuracies, one for each seed; - reads stdin.

    FILE is JSON, accuracies in [0, 1]: {"weak": [0.6, 0.62], "ceiling": [0.9, 0.88],
    "transfer": [0.7, 0.72], "n_items": 500}. Items count as independent: where several share a
    problem, give the number of problems as n_items.

    Example: aar pgr accuracies.json --json
    """
    given = parse(_read(file))
    estimate = pgr_from_accuracies(given.weak, given.ceiling, given.transfer, given.n_items)
    shown = estimate_as_dict(estimate)
    document = {
        "pgr": shown["mean"],
        "interval": shown["interval"],
        "method": shown["method"],
        **{role: vars(reference(getattr(given, role), role)) for role in ROLES},
        "n_items": given.n_items,
    }
    if not as_json:
        _show(document)
    return document


def parse(text: bytes) -> Accuracies:
    """The file's contents.

    Raises:
        BadInput: not JSON, or a key is missing, unknown or of another type.
    """
    try:
        return Accuracies.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise BadInput(place, first["msg"], f"Give a file such as {EXAMPLE}") from error


def _read(file: str) -> bytes:
    """At most `MAX_BYTES` of a file or of stdin."""
    try:
        if file == "-":
            text = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(file, "rb") as stream:
                text = stream.read(MAX_BYTES + 1)
    except OSError as error:
        fault = error.strerror or str(error)
        raise BadInput(file, fault, "Give a file that can be read, or - for stdin.") from error
    if len(text) > MAX_BYTES:
        raise BadInput(
            file, f"longer than {MAX_BYTES} bytes", "Give accuracies alone, one for each seed."
        )
    return text


def _show(document: dict[str, Any]) -> None:
    low, high = ("unbounded" if side is None else f"{side:.3f}" for side in document["interval"])
    table = Table("", "seeds", "accuracy", "s.e.")
    for role in ROLES:
        row = document[role]
        table.add_row(role, str(row["n"]), f"{row['mean']:.4f}", f"{row['se']:.4f}")
    table.add_section()
    table.add_row("PGR", "", f"{document['pgr']:.3f}", "")
    table.add_row("95 % interval", "", f"{low} to {high}", document["method"])
    Console().print(table)
