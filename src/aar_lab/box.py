"""What a box tells the programs inside it; the only reader of the environment in `aar_lab`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Variable:
    """What a box tells those inside it."""

    name: str
    default: str
    help: str

    @property
    def value(self) -> str:
        """The value in force."""
        return os.environ.get(self.name, self.default)


SOCKET = Variable("AAR_SOCKET", "/run/host.sock", "the host's unix socket")
TOKEN = Variable("AAR_TOKEN", "", "who you are")
BOX_ROOT = Variable("AAR_BOX_ROOT", "/", "the folder under which the box finds its data")
VARIABLES = (SOCKET, TOKEN, BOX_ROOT)


def box_root() -> Path:
    """The folder under which the box finds its data: `/` inside a real box."""
    return Path(BOX_ROOT.value)


def forum_folder() -> Path:
    """The folder in which the host keeps the forum as files; a box may have none."""
    return box_root() / "forum"
