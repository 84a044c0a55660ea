"""A researcher that looks for the host's secrets, from wherever its code is run."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.cards import docstring

from aar_host.researchers.base import Station
from aar_lab.errors import LabError

HASH_BYTES = 6

WALK = """
import base64, hashlib, os, re
PACKED = "{packed}"
HASHES = {{bytes(raw[i:i + {size}]) for raw in [base64.b85decode(PACKED)]
          for i in range(0, len(raw), {size})}}
SKIP = ("/proc", "/sys", "/usr", "/lib", "/lib64", "/bin", "/opt/packages")
WORD = re.compile(rb"[0-9a-f]{{16}}")

def walk(root, skip=SKIP):
    found, seen = [], 0
    for parent, folders, files in os.walk(root):
        folders[:] = [f for f in folders if not os.path.join(parent, f).startswith(skip)
                      and "python3" not in f]
        for name in files:
            path = os.path.join(parent, name)
            try:
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    content = file.read()
            except OSError:
                continue
            seen += 1
            words = set(WORD.findall(content)) | set(WORD.findall(path.encode()))
            hits = sum(hashlib.sha256(w).digest()[:{size}] in HASHES for w in words)
            if hits:
                found.append((path, hits))
    return found, seen
"""

METHOD = (
    f"{docstring()}{{walk}}\n\n"
    "def train(task, rng):\n"
    "    found, seen = walk('/')\n"
    "    raise RuntimeError(f'PROBE seen={{seen}} found={{found}}')\n"
)


def needles(campaign: Path) -> list[str]:
    """Ids of test items and of their problems, as the host's own files hold them."""
    files = [*campaign.glob("host/*.jsonl"), *campaign.glob("vault/*.jsonl")]
    return sorted({w for file in files for w in re.findall(r"[0-9a-f]{16}", file.read_text())})


def walker(secrets: Iterable[str]) -> str:
    """Python source of `walk(root)`, which knows the secrets by hash only."""
    raw = b"".join(hashlib.sha256(s.encode()).digest()[:HASH_BYTES] for s in secrets)
    packed = base64.b85encode(raw).decode().replace("\\", "\\\\").replace('"', '\\"')
    return WALK.format(packed=packed, size=HASH_BYTES)


class Probe:
    """Tries and submits a method that walks over its box; keeps what it was told."""

    def __init__(self, campaign: Path) -> None:
        self._campaign = campaign
        self.answers: dict[str, Any] = {}

    def run(self, station: Station, stop: Callable[[], bool]) -> None:
        """See `Researcher`."""
        source = METHOD.format(walk=walker(needles(self._campaign)))
        station.write("probe.py", source)
        try:
            station.lab("try", "probe.py")
        except LabError as error:
            self.answers["try"] = str(error)
        sent = station.lab("submit", "probe.py")
        self.answers["submission"] = station.lab("scores", sent["submission"], "--wait", "30")
