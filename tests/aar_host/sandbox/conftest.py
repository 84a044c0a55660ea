"""Boxes for the tests of this folder, with and without control groups of the kernel."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aar_host.sandbox import BoxSpec, Exit, Limits, box_python, new_workspace, remove_workspace
from aar_host.sandbox.base import run
from aar_host.sandbox.bubblewrap import Bubblewrap
from aar_host.sandbox.cgroups import detect_here
from aar_host.sandbox.runtime import find_runtime

ATTACKS = Path(__file__).parent / "attacks"
LIMITS = Limits(256 << 20, wall_seconds=20, cpu_seconds=20, pids=32, disk_bytes=8 << 20)
_NUMBERS = itertools.count()

Attack = Callable[..., Exit]


@pytest.fixture(scope="session")
def sandbox() -> Bubblewrap:
    """Bubblewrap as it is used on this machine."""
    return Bubblewrap(detect_here(), find_runtime())


@pytest.fixture(params=["groups", "tree"])
def either(request: pytest.FixtureRequest, sandbox: Bubblewrap) -> Bubblewrap:
    """The same, and the fallback for machines without control groups."""
    return sandbox if request.param == "groups" else Bubblewrap(None, find_runtime())


@pytest.fixture
def workspace() -> Iterator[Path]:
    """A fresh workspace."""
    made = new_workspace(f"test-{os.getpid()}-{next(_NUMBERS)}")
    yield made
    remove_workspace(made)


@pytest.fixture
def spec(workspace: Path) -> BoxSpec:
    """A box with moderate limits and the attack scripts at /attacks."""
    return BoxSpec(workspace, LIMITS, read_only={"/attacks": ATTACKS})


def attacker(sandbox: Bubblewrap, spec: BoxSpec) -> Attack:
    """A function that runs an attack in a box; limits may be changed by name."""

    def attack(name: str, *arguments: object, **limits: float) -> Exit:
        command = [*box_python(), f"/attacks/{name}.py", *map(str, arguments)]
        return run(sandbox, command, replace(spec, limits=replace(LIMITS, **limits)))

    return attack


@pytest.fixture
def inside(sandbox: Bubblewrap, spec: BoxSpec) -> Attack:
    """Run an attack in a box."""
    return attacker(sandbox, spec)


@pytest.fixture
def inside_either(either: Bubblewrap, spec: BoxSpec) -> Attack:
    """Run an attack in a box with control groups, and in one without."""
    return attacker(either, spec)


def outside(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the same attack as a plain process of the host."""
    command = [sys.executable, str(ATTACKS / f"{name}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture(name="outside")
def _outside() -> Callable[..., subprocess.CompletedProcess[str]]:
    return outside
