"""`aar problems` and `aar methods`."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from aar_host.cli.common import json_option
from aar_host.problems.registry import PROBLEMS, get_problem
from aar_lab.methods import all_methods


def _show(rows: list[dict[str, Any]], as_json: bool) -> list[dict[str, Any]]:
    if not as_json:
        table = Table(*rows[0])
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        Console().print(table)
    return rows


@click.command()
@json_option
def problems(as_json: bool) -> list[dict[str, Any]]:
    """List the problems.

    Example: aar problems --json
    """
    found = (get_problem(name).public() for name in PROBLEMS)
    rows = [{"name": p.name, "version": p.version, "summary": p.summary} for p in found]
    return _show(rows, as_json)


@click.command()
@json_option
def methods(as_json: bool) -> list[dict[str, Any]]:
    """List the registered methods.

    Example: aar methods --json
    """
    found = all_methods().values()
    rows = [{"name": m.name, "family": m.family, "summary": m.summary} for m in found]
    return _show(rows, as_json)
