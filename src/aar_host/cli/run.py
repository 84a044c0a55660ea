"""`aar run` and `aar report`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from aar_host.cli.asking import driver_options, file_options, model_options
from aar_host.cli.campaigns import (
    alone,
    finished,
    policy_options,
    prepared,
    told,
    watching,
)
from aar_host.cli.common import json_option
from aar_host.fleet.campaign import options_of
from aar_host.fleet.run import run_campaign
from aar_host.fleet.seats import check_seats
from aar_lab.errors import BadSettings


@click.command()
@click.argument("campaign", type=click.Path(path_type=Path), required=False)
@click.option("--problem", default="chat-mini", show_default=True)
@click.option("--researchers", default=3, show_default=True, help="1…9, a direction each.")
@click.option("--minutes", default=3.0, show_default=True, help="Of search; the final comes after.")
@click.option("--seed", default=0, show_default=True, help="Of the researchers' own draws.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: runs/ and the time.")
@click.option("--sandbox", type=click.Choice(["bubblewrap", "none"]), help="none marks all.")
@policy_options
@model_options
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with one that was ended.")
@json_option
def run(
    campaign: Path | None, resume: Path | None, as_json: bool, **asked: Any
) -> Mapping[str, Any]:
    """Run a campaign: researchers in boxes, a sealed final, a report.

    CAMPAIGN: a file that says who researches, with which models and budgets, in place of most
    options; see docs/run-with-your-model.md.

    Ctrl-C ends the search and goes on to the final; a second one ends that too. A campaign whose
    processes were killed goes on with --resume from where it was, with what was left of its budget.

    Example: aar run --researchers 3 --minutes 3 --out runs/first
    """
    if resume is not None:
        alone("resume")
        options = options_of(resume)
        if options.researchers < 1:
            raise BadSettings(resume, "it has no researchers of its own", "Use `aar serve`.")
        if finished(options.out):
            return told(options.out, as_json)
    elif campaign is not None:
        options = file_options(campaign, asked["out"], asked["sandbox"])
    else:
        options = driver_options(**asked)
        if options.researchers < 1:
            raise BadSettings("0 researchers", "nobody would search", "Use `aar serve`.")
    check_seats(options)
    with prepared(options, fresh=resume is None) as ready:
        run_campaign(ready, options, watching(as_json))
    return told(options.out, as_json)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True))
@json_option
def report(directory: Path, as_json: bool) -> dict[str, str]:
    """Write DIRECTORY/report.html again from its results.json.

    Example: aar report runs/first
    """
    told(directory, as_json)
    return {"report": str(directory / "report.html")}
