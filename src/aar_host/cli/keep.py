"""`aar fsck`, `aar backup` and `aar restore`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aar_host.cli.common import json_option
from aar_host.jobs import backup as backups
from aar_host.jobs.fsck import fsck as check_all
from aar_host.store.evidence import Check

_directory = click.argument("directory", type=click.Path(path_type=Path))
_file = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@_directory
@json_option
def fsck(directory: Path, as_json: bool) -> dict[str, Any]:
    """Prove that the campaign in DIRECTORY is as it was written. Changes nothing.

    The ledger's hash chain, every row against its entry, and every score, which is computed anew
    from stored predictions and labels. Exit code 1 where anything does not fit.

    Example: aar fsck runs/first --json
    """
    return _shown(check_all(directory), as_json)


@click.command()
@_directory
@_file
@json_option
def backup(directory: Path, file: Path, as_json: bool) -> Mapping[str, Any]:
    """Write the campaign in DIRECTORY to the archive FILE, while it runs or after.

    The archive holds the labels of the test items (its mode is 0600): keep it as secret as the
    directory. Of PostgreSQL it holds the whole database.

    Example: aar backup runs/first first.tar
    """
    head = backups.backup(directory, file)
    if not as_json:
        click.echo(f"{file}: campaign {head['campaign']}, with its labels. Keep it secret.")
    return {**head, "file": str(file), "bytes": file.stat().st_size}


@click.command()
@_file
@_directory
@json_option
def restore(file: Path, directory: Path, as_json: bool) -> dict[str, Any]:
    """Bring the campaign in the archive FILE back into a new DIRECTORY, and check it.

    An archive of PostgreSQL needs AAR_DATABASE_URL, which names an empty database. Restore only
    archives of your own: a copy of a database can hold code.

    Example: aar restore first.tar runs/again
    """
    return _shown(backups.restore(file, directory), as_json)


def _shown(found: list[Check], as_json: bool) -> dict[str, Any]:
    if not as_json:
        table = Table("check", "", "found", "what to do")
        for check in found:
            cells = (check.name, "ok" if check.ok else "WRONG", check.found, check.remedy)
            table.add_row(*map(escape, cells))
        Console().print(table)
    return {"ok": all(check.ok for check in found), "checks": [asdict(check) for check in found]}
