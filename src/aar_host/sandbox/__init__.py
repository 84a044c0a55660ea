"""Boxes for code that nobody trusts. What each kind protects from is said in its own file."""

from __future__ import annotations

import secrets

from aar_host.sandbox.base import (
    HOST_SOCKET,
    MODEL_SOCKET,
    Box,
    BoxSpec,
    Exit,
    Limits,
    Sandbox,
    run,
)
from aar_host.sandbox.box import harmless
from aar_host.sandbox.bubblewrap import Bubblewrap
from aar_host.sandbox.cgroups import detect_here, sweep
from aar_host.sandbox.none import NoSandbox, start_plain
from aar_host.sandbox.runtime import box_python, find_runtime
from aar_host.sandbox.workspace import (
    box_dir,
    new_workspace,
    put_file,
    read_workspace_file,
    remove_workspace,
)
from aar_lab.errors import UnknownName

__all__ = [
    "HOST_SOCKET",
    "MODEL_SOCKET",
    "Box",
    "BoxSpec",
    "Exit",
    "Limits",
    "Sandbox",
    "box_dir",
    "box_python",
    "harmless",
    "make_sandbox",
    "new_workspace",
    "put_file",
    "read_workspace_file",
    "remove_workspace",
    "run",
    "start_plain",
]


def make_sandbox(name: str) -> Sandbox:
    """The sandbox of that name: "bubblewrap" or "none" (isolates nothing, so never a fallback).

    Removes what hosts that were killed left of their boxes, and starts one box to see that it can.

    Raises:
        UnknownName: another name.
        Unavailable: bubblewrap is missing or cannot start here; the remedy says what to do.
    """
    if name == NoSandbox.name:
        return NoSandbox()
    if name != Bubblewrap.name:
        raise UnknownName(repr(name)[:80], "there is no such sandbox", "Use bubblewrap or none.")
    hierarchy = detect_here()
    if hierarchy is not None:
        sweep(hierarchy)
    sandbox = Bubblewrap(hierarchy, find_runtime())
    workspace = new_workspace(f"check-{secrets.token_hex(6)}")
    try:
        sandbox.check(workspace)
    finally:
        remove_workspace(workspace)
    return sandbox
