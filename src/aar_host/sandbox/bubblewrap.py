"""Boxes made of namespaces by bubblewrap: no network, no other process, no file but those mounted.

Flags and their order were tried on Debian 12 with bubblewrap 0.8. Not protected against: faults of
the kernel; covert channels through shared hardware; a deleted file that a box only keeps mapped is
not counted as disk use; without control groups, memory is looked at ten times a second, and files
in /tmp and /dev/shm (at most half the limit each) come on top of it.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from aar_host.sandbox.base import BoxSpec, Limits, run
from aar_host.sandbox.box import HostedBox, Parts
from aar_host.sandbox.cgroups import ControlGroup, Hierarchy
from aar_host.sandbox.groups import Group, Tree
from aar_host.sandbox.launch import Plan
from aar_host.sandbox.runtime import (
    COMMANDS,
    LAB,
    PACKAGES,
    Runtime,
    box_python,
    common_environment,
    lab_script,
)
from aar_host.sandbox.seccomp import filter_bytes
from aar_host.sandbox.starter import rlimits, start_launcher
from aar_lab.errors import BadSettings, Unavailable
from aar_lab.types import JobStatus

_TMP_BYTES = 256 << 20
_SHM_BYTES = 1 << 30
_NAMESPACES = (
    "--unshare-user --disable-userns --unshare-pid --unshare-net --unshare-ipc --unshare-uts "
    "--unshare-cgroup-try --die-with-parent --new-session --hostname box --cap-drop ALL --clearenv"
).split()
_PROBE = Limits(256 << 20, wall_seconds=20, cpu_seconds=20, pids=32, disk_bytes=1 << 20)


def key(name: str) -> str:
    """An argument that the launcher replaces; no real argument can hold a NUL."""
    return f"\0{name}"


class Bubblewrap:
    """See `base.Sandbox`.

    Args:
        hierarchy: where control groups can be made; None: each box is watched as a process tree.
        runtime: what every box can run.
    """

    name = "bubblewrap"

    def __init__(self, hierarchy: Hierarchy | None, runtime: Runtime) -> None:
        program = shutil.which("bwrap")
        if program is None:
            raise Unavailable(
                "bubblewrap",
                "the program bwrap is not installed",
                "Install it (apt-get install bubblewrap), or ask for --sandbox none.",
            )
        self._program, self._hierarchy, self._runtime = program, hierarchy, runtime

    def start(self, command: Sequence[str], spec: BoxSpec) -> HostedBox:
        with ExitStack() as undo:
            group = self._group(spec.limits)
            undo.callback(group.remove)
            process = start_launcher(self._plan(command, spec, group))
            undo.pop_all()
        if isinstance(group, Tree):
            group.grow_from(process.pid)
        return HostedBox(Parts(process, group, spec.limits, spec.workspace, lambda: None))

    def _group(self, limits: Limits) -> Group:
        if self._hierarchy is None:
            return Tree()
        return ControlGroup(self._hierarchy, limits.memory_bytes, limits.pids)

    def check(self, workspace: Path) -> None:
        """Start one box that imports `aar_lab`; `Unavailable` with the reason if it does not.

        One that was killed from outside says nothing about this machine, so there is a second.
        """
        for _ in range(2):
            done = run(self, [*box_python(), "-c", "import aar_lab"], BoxSpec(workspace, _PROBE))
            if done.status is JobStatus.DONE:
                break
        else:
            raise Unavailable(
                "bubblewrap",
                f"a box does not start here: {done.log.strip()[-300:] or done.status}",
                "Allow user namespaces (sysctl user.max_user_namespaces, the AppArmor or container "
                "profile), make the installation readable (chmod -R o+rX), or ask for "
                "--sandbox none.",
            )

    def _plan(self, command: Sequence[str], spec: BoxSpec, group: Group) -> Plan:
        sources = self._sources(spec)
        uid = _uid_of(spec.workspace)
        bounds = rlimits(spec.limits, memory=not group.limits_memory)
        inner = list(command)
        if not group.limits_pids:
            # Set inside, where it counts the processes of the box's own user namespace.
            inner = ["/usr/bin/prlimit", f"--nproc={spec.limits.pids}", "--", *inner]
        return Plan(
            parent=os.getpid(),
            join=group.join,
            sources={key(inside): str(outside) for inside, outside in sources.items()},
            blobs={
                key("seccomp"): base64.b64encode(filter_bytes(internet=not spec.init)).decode(),
                key("lab"): base64.b64encode(lab_script().encode()).decode(),
            },
            rlimits=bounds,
            uid=uid,
            arguments=self._arguments(spec, sources),
            command=[self._program, *inner],
            directory="/",
            environment={},
        )

    def _sources(self, spec: BoxSpec) -> dict[str, Path]:
        """Path in the box → host path, outer places before inner ones."""
        found = {**self._runtime.mounts, "/workspace": spec.workspace, **spec.read_only}
        found |= spec.sockets
        for outside in found.values():
            if not outside.exists():
                raise BadSettings(outside, "does not exist, so no box can have it", "Create it.")
        return dict(sorted(found.items()))

    def _arguments(self, spec: BoxSpec, sources: dict[str, Path]) -> list[str]:
        half = spec.limits.memory_bytes // 2
        arguments = list(_NAMESPACES)
        for name, value in self._environment(spec).items():
            arguments += ["--setenv", name, value]
        for folder in ("bin", "sbin", "lib", "lib32", "lib64"):
            if Path("/usr", folder).is_dir():
                arguments += ["--symlink", f"usr/{folder}", f"/{folder}"]
        arguments += ["--dir", "/etc", "--dir", "/run", "--proc", "/proc", "--dev", "/dev"]
        arguments += ["--size", str(min(_TMP_BYTES, half)), "--tmpfs", "/tmp"]
        arguments += ["--size", str(min(_SHM_BYTES, half)), "--tmpfs", "/dev/shm"]
        # What bubblewrap makes there belongs to the box, which could leave files and marks in it.
        # Without the second, there are terminals for programs that want one.
        for folder in ("/dev", "/dev/pts") if spec.init else ("/dev",):
            arguments += ["--remount-ro", folder]
        for inside in sources:
            writable = inside == "/workspace" or inside in spec.sockets
            arguments += ["--bind" if writable else "--ro-bind", key(inside), inside]
        for covered in self._runtime.hidden:
            arguments += ["--size", "4096", "--tmpfs", covered, "--remount-ro", covered]
        arguments += ["--perms", "0755", "--ro-bind-data", key("lab"), f"{COMMANDS}/lab"]
        arguments += ["--chdir", "/workspace", "--seccomp", key("seccomp"), "--remount-ro", "/"]
        return arguments + (["--as-pid-1"] if spec.init else [])

    def _environment(self, spec: BoxSpec) -> dict[str, str]:
        folders = (COMMANDS, str(self._runtime.python.parent), "/usr/local/bin", "/usr/bin", "/bin")
        return {
            **common_environment(),
            "PATH": ":".join(dict.fromkeys(folders)),
            "HOME": "/workspace",
            "TMPDIR": "/tmp",
            "PYTHONPATH": f"{LAB}:{PACKAGES}",
            "AAR_BOX_ROOT": "/",
            **spec.environment,
        }


def _uid_of(workspace: Path) -> int | None:
    """The uid of the box: the owner of its workspace; None where the host is no root."""
    if os.getuid() != 0:
        return None
    owner = workspace.stat().st_uid
    if owner == 0:
        raise BadSettings(
            workspace, "belongs to root, whose rights no box may have", "Use `new_workspace`."
        )
    return owner
