"""`aar families`: what a campaign's methods are, by rules and, if asked for, by a model."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aar_host.cli.common import json_option
from aar_host.fleet.campaign import options_of
from aar_host.fleet.desks import asking
from aar_host.jobs.places import open_campaign_store
from aar_host.report.text import clean
from aar_host.store.submissions import method_source
from aar_host.studies.measuring import diversity_in
from aar_host.studies.opinion import opinion_of
from aar_lab.errors import BadInput


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--ask", "model", help="Also ask this one of the campaign's models.")
@json_option
def families(directory: Path, model: str | None, as_json: bool) -> dict[str, Any]:
    """Tell the family of each method in the campaign of DIRECTORY, by what its code does.

    With --ask, a model that the campaign file names gives its opinion of each source too; that is
    paid from the campaign's budget, as the monitor's.

    Example: aar families runs/first
    """
    found = diversity_in(directory)
    if model is not None:
        _add_opinions(directory.absolute(), model, found["submissions"])
    if not as_json:
        _show(found)
    return found


def _add_opinions(directory: Path, model: str, rows: list[dict[str, Any]]) -> None:
    store, campaign = open_campaign_store(directory)
    with asking((store, campaign, directory), options_of(directory), model) as ask:
        for row in rows:
            # What was paid for is kept where one answer fails.
            row["opinion"] = None
            with suppress(BadInput, TimeoutError):
                row["opinion"] = opinion_of(method_source(store, row["submission"]), ask)


def _show(found: dict[str, Any]) -> None:
    table = Table(box=SIMPLE_HEAD)
    for head in ("submission", "researcher", "declared", "found", "also", "opinion"):
        table.add_column(head)
    for row in found["submissions"]:
        others = ", ".join(name for name in row["families"] if name != row["family"])
        cells = (row["submission"], row["researcher"], row["declared"], row["family"], others)
        table.add_row(*(Text(clean(cell, 60)) for cell in (*cells, row.get("opinion") or "–")))
    console = Console()
    console.print(table)
    agree = f"{found['agreeing']} of {found['methods']} cards name the family that was found."
    console.print(agree, highlight=False)
