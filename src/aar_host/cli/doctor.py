"""`aar doctor`: what this machine lacks, and how to mend it."""

from __future__ import annotations

import os
import pkgutil
import shutil
import sys
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from aar_host.cli.common import json_option
from aar_host.problems.registry import PROBLEMS, get_problem
from aar_host.settings import SETTINGS, amount, cache_dir, number, setting
from aar_lab.errors import LabError

MIN_DISK_GB = 2


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `remedy` is empty where nothing is to be done."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Driver:
    """Whether a driver of researchers can run here; see `aar_host.fleet.readiness`."""

    name: str
    ok: bool
    found: str
    missing: str
    remedy: str


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), found, "Install Python 3.11 or newer.")


def _torch() -> Check:
    return Check("torch", True, version("torch"))


def _settings() -> Check:
    try:
        for entry in SETTINGS:
            if entry.default.isdecimal():
                number(entry.name)
            elif "." in entry.default:
                amount(entry.name)
    except LabError as error:
        return Check("settings", False, f"{error.value}: {error.fault}", error.remedy)
    return Check("settings", True, f"{len(SETTINGS)} settings are in range")


def _sandbox() -> Check:
    name = setting("sandbox")
    if find_library("seccomp") is None:
        remedy = "Install it: apt-get install libseccomp2"
        return Check("sandbox", False, "the library libseccomp is missing", remedy)
    try:
        # Named, not imported: without libseccomp the module could not be loaded to say so.
        pkgutil.resolve_name("aar_host.sandbox:make_sandbox")(name)
    except LabError as error:
        return Check("sandbox", False, f"{error.value}: {error.fault}", error.remedy)
    if name == "none":
        return Check("sandbox", False, "none: methods run unprotected", "Unset AAR_SANDBOX.")
    return Check("sandbox", True, f"{name} starts boxes")


def _limits() -> Check:
    if find_library("seccomp") is None:
        return Check("limits", True, "not looked at, see sandbox")
    if pkgutil.resolve_name("aar_host.sandbox.cgroups:detect_here")() is None:
        return Check("limits", True, "no control groups: limits are sampled ten times a second")
    return Check("limits", True, "control groups hold memory and processes")


def _disk() -> Check:
    place = cache_dir()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e9
    found = f"{free:.1f} GB free at {place}"
    remedy = "Free some space, or set AAR_CACHE_DIR."
    return Check("disk", free >= MIN_DISK_GB and os.access(place, os.W_OK), found, remedy)


def _models() -> Check:
    missing = [
        f"{name} {student}"
        for name in PROBLEMS
        for student in {get_problem(name).weak, get_problem(name).strong}
        if not ((path := get_problem(name).base_weights(student)) and path.exists())
    ]
    return Check(
        "base models", not missing, ", ".join(missing) or "all there", "Reinstall the package."
    )


CHECKS: tuple[Callable[[], Check], ...] = (
    _python,
    _torch,
    _settings,
    _sandbox,
    _limits,
    _disk,
    _models,
)


@click.command()
@json_option
def doctor(as_json: bool) -> dict[str, Any]:
    """Tell what is missing here, and how to mend it; and which drivers of researchers can run.

    A driver that cannot run here is no fault: only who asks for it needs it.

    Example: aar doctor --json
    """
    found = [check() for check in CHECKS]
    drivers = _drivers()
    if not as_json:
        _show(found, drivers)
    rows = [asdict(check) | {"remedy": "" if check.ok else check.remedy} for check in found]
    return {
        "ok": all(check.ok for check in found),
        "checks": rows,
        "drivers": [asdict(driver) for driver in drivers],
    }


def _drivers() -> list[Driver]:
    """Each driver; none where not even a sandbox could be loaded, see there."""
    if find_library("seccomp") is None:
        return []
    found = pkgutil.resolve_name("aar_host.fleet.readiness:readiness")()
    return [Driver(**vars(one)) for one in found]


def _show(found: list[Check], drivers: list[Driver]) -> None:
    console = Console()
    table = Table("check", "", "found", "what to do")
    for check in found:
        remedy = "" if check.ok else check.remedy
        table.add_row(check.name, "ok" if check.ok else "MISSING", check.found, remedy)
    console.print(table)
    table = Table("driver", "", "found", "what to do")
    for one in drivers:
        found_here = one.found or one.missing
        table.add_row(one.name, "ok" if one.ok else "not here", found_here, one.remedy)
    console.print(table)
