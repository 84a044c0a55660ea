"""`aar serve` and `aar final`: a campaign for those who come from outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from aar_host.cli.campaigns import (
    alone,
    asked_options,
    finished,
    policy_options,
    prepared,
    told,
    watching,
)
from aar_host.cli.common import json_option
from aar_host.fleet.campaign import options_of
from aar_host.fleet.serve import close_campaign, serve_campaign


@click.command()
@click.option("--problem", default="chat-mini", show_default=True)
@click.option("--minutes", default=60.0, show_default=True, help="For which it is served.")
@click.option("--seed", default=0, show_default=True, help="Kept with the results.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: runs/ and the time.")
@click.option("--sandbox", type=click.Choice(["bubblewrap", "none"]), help="none marks all.")
@policy_options
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with one that was ended.")
@click.option("--port", type=int, help="Loopback TCP beside DIR/host.sock; 0: any that is free.")
@click.option("--final", is_flag=True, help="Freeze and open it in the end.")
@json_option
def serve(
    resume: Path | None, port: int | None, final: bool, as_json: bool, **asked: Any
) -> Mapping[str, Any]:
    """Serve a campaign and train what is handed in; the researchers come from outside.

    They ask at DIR/host.sock with a token of `aar token`. Ctrl-C ends it; it goes on with --resume,
    and `aar final` freezes it and opens the finalists.

    Example: aar serve --problem math-mini --minutes 600 --out runs/open --port 8000
    """
    if resume is not None:
        alone("resume", "port", "final")
        options = options_of(resume)
        if finished(options.out):
            return told(options.out, as_json)
    else:
        options = asked_options(researchers=0, **asked)
    with prepared(options, fresh=resume is None) as campaign:
        document = serve_campaign(campaign, options, watching(as_json), port, final)
    if final:
        return told(options.out, as_json)
    if not as_json:
        click.echo(f"Go on: aar serve --resume {options.out}; end: aar final {options.out}")
    return document


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@json_option
def final(directory: Path, as_json: bool) -> Mapping[str, Any]:
    """Freeze the campaign in DIRECTORY, once all that was handed in has ended, and open it.

    Ctrl-C cancels what has not ended.

    Example: aar final runs/open
    """
    options = options_of(directory)
    if not finished(options.out):
        with prepared(options, fresh=False) as campaign:
            close_campaign(campaign, options, watching(as_json))
    return told(options.out, as_json)
