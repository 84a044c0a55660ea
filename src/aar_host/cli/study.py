"""`aar study`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from aar_host.cli.asking import driver_options, model_options
from aar_host.cli.campaigns import given, policy_options, prepared, watching
from aar_host.cli.common import json_option
from aar_host.fleet.options import Options
from aar_host.fleet.run import run_campaign
from aar_host.report.page import write_report
from aar_host.report.results import read_results
from aar_host.report.text import count, number
from aar_host.studies.figures import draw_study
from aar_host.studies.study import STUDIES, Repeats, Study, run_study
from aar_lab.errors import BadSettings

LARGE = 10


@click.command()
@click.argument("study", type=click.Choice(list(STUDIES)))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Of all campaigns.")
@click.option("--repeats", default=6, show_default=True, help="Pairs of campaigns.")
@click.option("--problem", default="chat-mini", show_default=True)
@click.option("--researchers", default=3, show_default=True, help="1…9, of each campaign.")
@click.option("--minutes", default=3.0, show_default=True, help="Of search, of each campaign.")
@click.option("--seed", default=0, show_default=True, help="Of the first pair; then one more each.")
@click.option("--sandbox", type=click.Choice(["bubblewrap", "none"]), help="none marks all.")
@policy_options
@model_options
@json_option
def study(study: str, out: Path, repeats: int, as_json: bool, **asked: Any) -> Mapping[str, Any]:
    """Compare two ways to run a fleet, in pairs of campaigns that differ in nothing else.

    directed-vs-undirected: each researcher is told a direction, or nobody is.
    sharing-vs-alone: researchers see what others found, or only their own.

    OUT gets a campaign for each pair and condition, study.json and the figure (.png and .svg).
    Ctrl-C ends the campaign that runs; the same command goes on, with more repeats if asked. Fewer
    than 6 pairs cannot reach p < .05.

    Example: aar study directed-vs-undirected --repeats 6 --minutes 3 --out runs/directed
    """
    chosen = STUDIES[study]
    _check(chosen, asked)
    base = driver_options(out=out, **asked)
    document = run_study(chosen, base, Repeats(repeats, _runner(as_json), _tell))
    if document["pairs"]:
        draw_study(document, base.out)
    if not as_json:
        _show(document, base.out)
    return document


def _check(study: Study, asked: Mapping[str, Any]) -> None:
    varied = {"directed": "directions", "sharing": "sharing"}[study.field]
    if varied in given():
        raise BadSettings(f"--{varied}", f"it is what {study.name} varies", "Leave it out.")
    if asked["researchers"] < 1:
        raise BadSettings("0 researchers", "nobody would search", "Give some.")


def _runner(as_json: bool) -> Any:
    """What runs a campaign to its end, and leaves its report."""

    def run(options: Options, fresh: bool) -> None:
        with prepared(options, fresh) as campaign:
            run_campaign(campaign, options, watching(as_json))
        write_report(read_results(options.out / "results.json"), options.out / "report.html")

    return run


def _tell(words: str) -> None:
    click.echo(words, err=True)


def _show(document: Mapping[str, Any], out: Path) -> None:
    console = Console()
    console.print(_table(document))
    if not document["complete"]:
        done = len(document["pairs"])
        console.print(f"{done} of {document['repeats']} pairs; the same command goes on.")
    if document["unscored"]:
        scored = count(document["unscored"], "campaign")
        console.print(f"{scored} without a sealed PGR: their pairs count for the other rows only.")
    for mark in document["marks"]:
        console.print(mark, markup=False)
    console.print(f"{out / 'study.json'}, {out / 'study.png'}", markup=False)


def _table(document: Mapping[str, Any]) -> Table:
    table = Table(title=document["question"], box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.add_column("", no_wrap=True)
    names = (document["first"], document["second"], "difference", "p", "p, Holm", "detectable")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in document["comparisons"]:
        table.add_row(
            row["label"],
            _amount(row["first"]),
            _amount(row["second"]),
            _difference(row),
            number(row["p"], 3),
            number(row["p_holm"], 3),
            _amount(row["detectable"]),
        )
    least = document["comparisons"][0]["smallest_p"]
    table.caption = (
        f"{count(len(document['pairs']), 'pair')}; differences with 95 % intervals; exact "
        "sign-flip test"
        + (f", whose p is at least {number(least, 3)}" if least else "")
        + "; detectable: with power .8 at the .05 level."
    )
    return table


def _difference(row: Mapping[str, Any]) -> str:
    """In two lines, so that a table fits 80 columns."""
    if row["interval"] is None:
        return _amount(row["difference"])
    low, high = map(_amount, row["interval"])
    return f"{_amount(row['difference'])}\n[{low}, {high}]"


def _amount(value: float | None) -> str:
    """With two digits behind the point where they say something."""
    return number(value, 2 if value is None or abs(value) < LARGE else 0)
