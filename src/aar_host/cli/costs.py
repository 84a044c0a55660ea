"""`aar costs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from aar_host.cli.common import json_option
from aar_host.fleet.costs import costs as costs_of
from aar_host.jobs.places import view_campaign_store
from aar_host.report.costs import costs_table, models_table
from aar_host.settings import amount


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@json_option
def costs(directory: Path, as_json: bool) -> dict[str, Any]:
    """Tell what the campaign in DIRECTORY has cost: models and compute, by researcher.

    A campaign that runs is told as far as it is. A point of PGR is .01 of the best sealed score.

    Example: aar costs runs/first
    """
    store, campaign = view_campaign_store(directory)
    found = costs_of(store, campaign, amount("compute_dollars_per_hour"))
    store.close()
    if not as_json:
        console = Console()
        console.print(costs_table(found))
        if found["models"]:
            console.print(models_table(found["models"]))
        if not found["compute_dollars_per_hour"]:
            click.echo("Compute counts 0 dollars: set AAR_COMPUTE_DOLLARS_PER_HOUR.")
    return found
