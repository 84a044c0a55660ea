"""`aar watch`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from aar_host.cli.common import json_option
from aar_host.fleet.observe import Observer, View
from aar_host.fleet.options import Options
from aar_host.jobs.manifest import read_manifest
from aar_host.jobs.places import view_campaign_store
from aar_host.report.watching import event_line, render
from aar_host.store.schema import CampaignState

POLL_SECONDS = 1.0
Tell = Callable[[View, list[dict[str, Any]]], None]


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--once", is_flag=True, help="Tell how it stands, and end.")
@json_option
def watch(directory: Path, once: bool, as_json: bool) -> Mapping[str, Any]:
    """Follow the campaign in DIRECTORY until it is over or Ctrl-C; it does not notice.

    Where the output is no terminal, its events are printed, a line each. With --json they are JSON
    lines, of which the last one tells how it stands; with --once that is the only one.

    Example: aar watch runs/first
    """
    store, campaign = view_campaign_store(directory)
    observer = Observer(store, campaign, _drivers(directory))
    try:
        if once:
            view, _ = observer.look()
            if not as_json:
                Console().print(render(view))
            return view.as_dict()
        return _follow(observer, as_json).as_dict()
    finally:
        store.close()


def _follow(observer: Observer, as_json: bool) -> View:
    """Until the campaign is over, or Ctrl-C; returns how it stood last."""
    view, fresh = observer.look()
    with suppress(KeyboardInterrupt), _telling(as_json) as tell:
        tell(view, fresh)
        while view.state != CampaignState.CLOSED:
            time.sleep(POLL_SECONDS)
            view, fresh = observer.look()
            tell(view, fresh)
    return view


@contextmanager
def _telling(as_json: bool) -> Iterator[Tell]:
    console = Console()
    if as_json:
        yield lambda view, fresh: _lines(json.dumps, fresh)
    elif not console.is_terminal:
        yield lambda view, fresh: _lines(event_line, fresh)
    else:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda view, fresh: live.update(render(view), refresh=True)


def _lines(word: Callable[[dict[str, Any]], str], fresh: list[dict[str, Any]]) -> None:
    for event in fresh:
        click.echo(word(event))


def _drivers(directory: Path) -> dict[str, str]:
    """Name of each researcher of the fleet → its driver."""
    asked = read_manifest(directory).get("options")
    if asked is None:
        return {}
    return {seat.name: seat.driver for seat in Options.from_dict(asked, directory).seated}
