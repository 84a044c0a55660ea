"""What every box can run: a Python, the project's dependencies, and of the project only `aar_lab`.

In the box the base interpreter lies where it lies on the host (its libraries are found by absolute
paths), the dependencies at /opt/packages, `aar_lab` at /opt/lab. No .pth file is read there, so an
editable install leads nowhere; where `aar_host` lies inside something mounted (a plain install, a
clone below /usr) an empty directory covers it. So are data sets that come with labels in a package:
a problem of one's own may be made of them.
"""

from __future__ import annotations

import compileall
import functools
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import aar_host
import aar_lab

LAB = "/opt/lab"
PACKAGES = "/opt/packages"
COMMANDS = "/opt/commands"


@dataclass(frozen=True)
class Runtime:
    """What is mounted read-only in every box.

    Args:
        mounts: path in the box → host directory.
        hidden: paths in the box that an empty directory covers.
        python: the interpreter, at the same path on both sides.
    """

    mounts: dict[str, Path]
    hidden: tuple[str, ...]
    python: Path


def _base_python() -> Path:
    """The interpreter behind the virtual environment, if there is one."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def hidden_in(mounts: dict[str, Path], secrets: Iterable[Path]) -> tuple[str, ...]:
    """Where host directories that no box may see would appear in a box with these mounts."""
    return tuple(
        sorted(
            str(Path(inside) / secret.resolve().relative_to(outside.resolve()))
            for secret in secrets
            if secret.is_dir()
            for inside, outside in mounts.items()
            if secret.resolve().is_relative_to(outside.resolve())
        )
    )


def _secrets() -> set[Path]:
    """`aar_host` and scikit-learn's data sets, in every directory that a Python here might import
    from."""
    base = Path(sys.base_prefix) / "lib" / f"python{sysconfig.get_python_version()}"
    roots = {Path(entry) for entry in sys.path if entry}
    roots |= {
        base / "site-packages",
        base / "dist-packages",
        Path("/usr/lib/python3/dist-packages"),
    }
    secret = ("aar_host", "sklearn/datasets/data")
    return {root / name for root in roots for name in secret} | {Path(aar_host.__file__).parent}


@functools.cache
def find_runtime() -> Runtime:
    """The runtime of this process, its `aar_lab` compiled (a box cannot store what it compiles)."""
    lab = Path(aar_lab.__file__).parent
    compileall.compile_dir(lab, quiet=2)
    mounts = {"/usr": Path("/usr")}
    base = Path(sys.base_prefix).resolve()
    if not base.is_relative_to("/usr"):
        mounts[str(base)] = base
    mounts[PACKAGES] = Path(sysconfig.get_paths()["purelib"])
    mounts[f"{LAB}/aar_lab"] = lab
    return Runtime(mounts, hidden_in(mounts, _secrets()), _base_python())


def box_python() -> list[str]:
    """The first words of a Python command in a box: `[*box_python(), "-m", "aar_lab.cli", …]`.

    Neither the working directory nor the home is searched for modules, so that a file that a box
    left in its workspace does not replace a module of a trusted command.
    """
    return [str(find_runtime().python), "-P", "-s"]


def lab_script() -> str:
    """The command `lab` of a box."""
    return f'#!/bin/sh\nexec {" ".join(box_python())} -m aar_lab.cli "$@"\n'


def common_environment() -> dict[str, str]:
    """Variables of every box, whatever the sandbox.

    Threads: a busy-waiting OpenMP on a loaded machine makes a small training step 80 times slower.
    """
    return {
        "LANG": "C.UTF-8",
        "USER": "box",
        "LOGNAME": "box",
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
