"""`aar honeylabels`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from aar_host.cli.common import json_option
from aar_host.jobs.grounds import Grounds
from aar_host.jobs.judging import Judge
from aar_host.jobs.places import view_campaign_store
from aar_host.store.schema import SubmissionKind
from aar_host.store.submissions import list_submissions
from aar_lab.types import JobStatus


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@json_option
def honeylabels(directory: Path, as_json: bool) -> dict[str, Any]:
    """Show the honeylabels of the campaign in DIRECTORY, and who matches more than by mistake.

    A honeylabel is scored the wrong way round. Predictions that agree with many of them were made
    from what the API answered, or from labels. p is the probability of as many matches from one
    who reads inputs and is right as often as on the other items; look at it before you accuse.

    Example: aar honeylabels runs/guarded
    """
    store, campaign = view_campaign_store(directory)
    judge, rows = Judge(store, Grounds(directory)), []
    for found in list_submissions(store, campaign):
        if found.kind is SubmissionKind.PREDICTIONS and found.status is JobStatus.DONE:
            honey = judge.on_honey(found.id)
            told = {"matched": honey.matched, "of": honey.of, "accuracy": honey.accuracy}
            told["p"] = honey.p_value
            rows.append({"submission": found.id, "author": found.author, **told})
    if not as_json:
        _show(judge.honeylabels, rows)
    return {"honeylabels": judge.honeylabels, "submissions": rows}


def _show(ids: list[str], rows: list[dict[str, Any]]) -> None:
    table = Table("submission", "author", "matched", "accuracy elsewhere", "p")
    for row in rows:
        matched = f"{row['matched']} of {row['of']}"
        shown = (f"{row['accuracy']:.3f}", f"{row['p']:.2g}")
        table.add_row(row["submission"], row["author"], matched, *shown)
    console = Console()
    console.print(f"{len(ids)} honeylabels: {' '.join(ids)}", markup=False)
    console.print(table)
