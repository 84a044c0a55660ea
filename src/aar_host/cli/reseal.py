"""`aar reseal`: the finalists of a campaign on new sealed data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from aar_host.cli.campaigns import finished, prepared, told, watching
from aar_host.cli.common import json_option
from aar_host.fleet.campaign import options_of
from aar_host.fleet.reseal import open_again, resealed
from aar_host.jobs.manifest import has_manifest


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New, or to go on.")
@json_option
def reseal(directory: Path, out: Path, as_json: bool) -> Mapping[str, Any]:
    """Open the finalists of DIRECTORY once more, on test items drawn anew into OUT.

    They are handed in under their authors' names, trained on new seeds, and opened. What was
    interrupted goes on when it is called again. A problem with finite data is refused.

    Example: aar reseal runs/first --out runs/first-again
    """
    options, samples = resealed(directory, out.absolute())
    again = has_manifest(out) and options_of(out).reseals == options.reseals
    if not (again and finished(out)):
        with prepared(options, fresh=not again) as campaign:
            open_again(campaign, options, samples, watching(as_json))
    return told(options.out, as_json)
