"""What the commands share that start campaigns or take them up again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from aar_host.cli.common import progress
from aar_host.feedback import POLICIES, SEALED
from aar_host.fleet.campaign import Campaign, started
from aar_host.fleet.options import Options, Show
from aar_host.report.live import LiveView
from aar_host.report.page import write_report
from aar_host.report.results import Results, read_results
from aar_host.report.summary import headline
from aar_host.report.tables import finalists_table
from aar_host.settings import number, setting
from aar_host.studies.measuring import complete_results
from aar_lab.errors import BadSettings


@contextmanager
def prepared(options: Options, fresh: bool) -> Iterator[Campaign]:
    """As `fleet.campaign.started`, with a bar while it is set up."""
    with ExitStack() as stack:
        with progress() as bar:
            campaign = stack.enter_context(started(options, bar, fresh))
        yield campaign


def policy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose what a score may reveal."""
    leaky = click.option("--leaky", is_flag=True, help="Allow EXACT, which marks every number.")
    policy = click.option(
        "--policy", type=click.Choice(list(POLICIES)), default=SEALED.name, show_default=True
    )
    return policy(leaky(command))


def asked_options(out: Path | None, sandbox: str | None, **asked: Any) -> Options:
    """What a campaign is asked for on the command line."""
    return Options(
        **asked,
        out=default_directory(out),
        sandbox=sandbox or setting("sandbox"),
        workers=number("workers"),
    )


def default_directory(out: Path | None) -> Path:
    """Where a campaign lies: as asked for, or below runs/ by the time."""
    return (out or Path("runs") / time.strftime("%Y%m%d-%H%M%S")).absolute()


def given() -> list[str]:
    """Names of the parameters that were given on the command line."""
    context = click.get_current_context()
    source = context.get_parameter_source
    return [name for name in context.params if source(name) is ParameterSource.COMMANDLINE]


def alone(name: str, *free: str) -> None:
    """`BadSettings` if an option was given with it that is not among the free ones or --json."""
    for other in given():
        if other not in (name, "as_json", *free):
            raise BadSettings(
                f"--{other} with --{name}",
                "a campaign goes on as it was started",
                f"Leave out --{other}.",
            )


def finished(directory: Path) -> bool:
    """Whether a campaign is over and has left its results."""
    return (directory / "results.json").exists()


def told(directory: Path, as_json: bool) -> Mapping[str, Any]:
    """The results of a campaign that is over, shown and with a report."""
    path = directory / "results.json"
    results = read_results(path)
    if results.diversity is None:
        complete_results(directory)
        results = read_results(path)
    write_report(results, directory / "report.html")
    if not as_json:
        _show(results, directory)
    found: Mapping[str, Any] = json.loads(path.read_text())
    return found


def watching(as_json: bool) -> Callable[[], Any]:
    """What shows a campaign while it runs, as `run_campaign` wants it."""

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
