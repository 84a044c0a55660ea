"""`aar sit`: a person takes a seat."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from aar_host.cli.common import json_option
from aar_host.fleet.sitting import sit as take_seat


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("name")
@json_option
def sit(directory: Path, name: str, as_json: bool) -> dict[str, Any]:
    """Work in the campaign of DIRECTORY as NAME, by hand, in a box as every researcher has one.

    A shell opens in the box: `lab brief` says what is asked, `lab --help` what can be done. Leave
    it with `exit`; files stay until the campaign is over. What comes from a pipe instead of a
    terminal is run line by line. The campaign must be served meanwhile (`aar run` with a seat of
    the driver `human`, or `aar serve`).

    Example: aar sit runs/open grace
    """
    shown = sys.stderr.buffer if as_json else sys.stdout.buffer
    status = take_seat(directory.absolute(), name, sys.stdin.buffer, shown)
    return {"researcher": name, "status": status.value}
