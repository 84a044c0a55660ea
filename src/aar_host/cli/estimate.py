"""`aar estimate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from aar_host.cli.asking import driver_options, file_options, model_options
from aar_host.cli.campaigns import policy_options
from aar_host.cli.common import json_option
from aar_host.fleet.estimate import Machine, measured_job
from aar_host.fleet.estimate import estimate as estimate_of
from aar_host.fleet.options import Options
from aar_host.report.costs import estimate_table
from aar_host.settings import amount, cache_dir, number


@click.command()
@click.argument("campaign", type=click.Path(path_type=Path), required=False)
@click.option("--problem", default="chat-mini", show_default=True)
@click.option("--researchers", default=3, show_default=True)
@click.option("--minutes", default=3.0, show_default=True, help="Of search.")
@policy_options
@model_options
@json_option
def estimate(campaign: Path | None, as_json: bool, **asked: Any) -> dict[str, Any]:
    """Estimate what a campaign would cost, before it is run: what to expect, and the most.

    CAMPAIGN is a campaign file; without one, the options say what `aar run` would be told.

    Example: aar estimate --researchers 9 --minutes 7200 --driver codex --model gpt-5.4
    """
    options = _options(campaign, asked)
    limit, rate = float(number("job_seconds")), amount("compute_dollars_per_hour")
    measured = measured_job(cache_dir(), Path(options.problem).stem)
    found = estimate_of(options, Machine(rate, limit, measured))
    if not as_json:
        Console().print(estimate_table(found))
        for sentence in found["assumptions"]:
            click.echo(sentence)
    return found


def _options(campaign: Path | None, asked: dict[str, Any]) -> Options:
    if campaign is not None:
        return file_options(campaign, None, None)
    return driver_options(**asked, seed=0, out=None, sandbox=None)
