"""No sandbox: plain subprocesses, for machines without bubblewrap. Isolates nothing.

The command runs as the host's own user and can read and write what that user can. There are the
limits of setrlimit for each process, and the watcher's for the tree; a process that detaches itself
from its parents is not seen, counted or ended. `AAR_BOX_ROOT` names a directory of links at the
paths that a box would have.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import aar_lab
from aar_host.sandbox.base import HOST_SOCKET, BoxSpec
from aar_host.sandbox.box import HostedBox, Parts
from aar_host.sandbox.groups import Tree
from aar_host.sandbox.launch import Plan
from aar_host.sandbox.runtime import common_environment, lab_script
from aar_host.sandbox.starter import rlimits, start_launcher


class NoSandbox:
    """See `base.Sandbox`; `init` has no meaning here."""

    name = "none"

    def start(self, command: Sequence[str], spec: BoxSpec) -> HostedBox:
        root = _mirror(spec)
        clean_up = partial(shutil.rmtree, root, ignore_errors=True)
        plain = replace(spec, environment=_environment(spec, root))
        return start_plain(command, plain, spec.workspace, clean_up)


def start_plain(
    command: Sequence[str],
    spec: BoxSpec,
    directory: Path,
    clean_up: Callable[[], None] = lambda: None,
) -> HostedBox:
    """A process of the host's own user, with the limits of a box and no other protection.

    Args:
        spec: its environment is all that the process gets; its mounts and sockets say nothing.
        directory: where it starts.
        clean_up: called when it has ended.
    """
    group = Tree()
    plan = Plan(
        parent=os.getpid(),
        join=[],
        sources={},
        blobs={},
        rlimits=rlimits(spec.limits, memory=True),
        uid=None,
        arguments=None,
        command=list(command),
        directory=str(directory),
        environment=dict(spec.environment),
    )
    process = start_launcher(plan)
    group.grow_from(process.pid)
    return HostedBox(Parts(process, group, spec.limits, spec.workspace, clean_up))


def _mirror(spec: BoxSpec) -> Path:
    """A directory with links where a box would have the real thing."""
    root = Path(tempfile.mkdtemp(prefix="aar-box-"))
    places = {"/workspace": spec.workspace, **spec.read_only, **spec.sockets}
    for inside, outside in places.items():
        link = root / inside.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(outside.absolute())
    script = root / "commands" / "lab"
    script.parent.mkdir()
    script.write_text(lab_script())
    script.chmod(0o755)
    return root


def _environment(spec: BoxSpec, root: Path) -> dict[str, str]:
    packages = (str(Path(aar_lab.__file__).parents[1]), sysconfig.get_paths()["purelib"])
    folders = (str(root / "commands"), str(Path(sys.executable).parent), "/usr/bin", "/bin")
    return {
        **common_environment(),
        "PATH": ":".join(folders),
        "HOME": str(spec.workspace),
        "PYTHONPATH": ":".join(packages),
        "AAR_BOX_ROOT": str(root),
        "AAR_SOCKET": f"{root}{HOST_SOCKET}",
        **spec.environment,
    }
