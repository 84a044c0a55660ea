"""`aar jobs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aar_host.cli.common import json_option
from aar_host.jobs.places import open_campaign_store, view_campaign_store
from aar_host.store.jobs import Job, list_jobs
from aar_host.store.retry import retry_job
from aar_lab.types import JobStatus

COLUMNS = ("id", "submission", "tier", "seed", "status", "attempts", "worker", "error")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--dead", is_flag=True, help="Only jobs that lost every worker.")
@click.option("--retry", metavar="JOB", help="Put a lost job back for one more attempt.")
@json_option
def jobs(directory: Path, dead: bool, retry: str | None, as_json: bool) -> list[dict[str, Any]]:
    """List the jobs of the campaign in DIRECTORY, or put a lost one back into its queue.

    A lost public job is retried while the campaign is open, a sealed one while it is frozen; its
    submission is reopened without a new charge, and the jobs that were lost or cancelled with it
    come back too. Whatever runs or resumes the campaign takes them.

    Example: aar jobs runs/first --dead
    """
    if retry is not None:
        store, campaign = open_campaign_store(directory)
        found = retry_job(store, campaign, retry)
    else:
        store, campaign = view_campaign_store(directory)
        found = list_jobs(store, campaign, JobStatus.LOST if dead else None)
    store.close()
    rows = [_row(job) for job in found]
    if not as_json:
        _show(rows)
    return rows


def _show(rows: list[dict[str, Any]]) -> None:
    """A table in which ids are never cut short: they are what --retry is given."""
    names = [name for name in COLUMNS if name != "worker"]
    table = Table()
    for name in names:
        table.add_column(name, no_wrap=name != "error")
    for row in rows:
        table.add_row(*(escape("" if row[name] is None else str(row[name])) for name in names))
    Console().print(table)


def _row(job: Job) -> dict[str, Any]:
    error = job.error and job.error.get("fault")
    cells = (job.id, job.submission, job.tier.value, job.seed_index, job.status.value)
    return dict(zip(COLUMNS, (*cells, job.attempts, job.worker, error), strict=True))
