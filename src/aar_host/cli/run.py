"""`aar run` and `aar report`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from aar_host.cli.common import json_option, progress
from aar_host.fleet.campaign import set_up
from aar_host.fleet.options import Options, Show
from aar_host.fleet.run import run_campaign
from aar_host.report.live import LiveView
from aar_host.report.page import write_report
from aar_host.report.results import Results, read_results
from aar_host.report.summary import headline
from aar_host.report.tables import finalists_table
from aar_host.settings import number, setting


@click.command()
@click.option("--problem", default="chat-mini", show_default=True)
@click.option("--researchers", default=3, show_default=True, help="1…9, a direction each.")
@click.option("--minutes", default=3.0, show_default=True, help="Of search; the final comes after.")
@click.option("--seed", default=0, show_default=True, help="Of the researchers' own draws.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: runs/ and the time.")
@click.option("--sandbox", type=click.Choice(["bubblewrap", "none"]), help="none marks all.")
@json_option
def run(out: Path | None, sandbox: str | None, as_json: bool, **asked: Any) -> Mapping[str, Any]:
    """Run a campaign: researchers in boxes, a sealed final, a report.

    Ctrl-C ends the search and goes on to the final; a second one ends that too.

    Example: aar run --researchers 3 --minutes 3 --out runs/first
    """
    directory = out or Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    options = Options(
        **asked,
        out=directory.absolute(),
        sandbox=sandbox or setting("sandbox"),
        workers=number("workers"),
    )
    with progress() as bar:
        campaign = set_up(options, bar)
    found = run_campaign(campaign, options, _watch(as_json))
    results = read_results(directory / "results.json")
    write_report(results, directory / "report.html")
    if not as_json:
        _show(results, directory)
    return found


def _watch(as_json: bool) -> Callable[[], Any]:
    @contextmanager
    def watch() -> Iterator[Show]:
        with LiveView(json=as_json) as view:
            yield view.update

    return watch


def _show(results: Results, directory: Path) -> None:
    console = Console()
    console.print(finalists_table(results))
    found = headline(results)
    console.print(found.sentence, markup=False)
    for remark in found.remarks:
        console.print(remark, markup=False)
    console.print(f"Report: {directory / 'report.html'}", markup=False)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True))
@json_option
def report(directory: Path, as_json: bool) -> dict[str, str]:
    """Write DIRECTORY/report.html again from its results.json.

    Example: aar report runs/first
    """
    results = read_results(directory / "results.json")
    write_report(results, directory / "report.html")
    if not as_json:
        _show(results, directory)
    return {"report": str(directory / "report.html")}
