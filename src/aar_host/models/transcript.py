"""The transcript of a seat: what its model was asked and what it said, as the host saw it.

One JSON object a line, only appended. A request repeats the whole conversation, so of each only
the messages are written that no earlier one had.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aar_host.models.redact import Redactor
from aar_lab.digest import digest_text

MAX_ENTRY = 256 << 10
MAX_STRING = 32 << 10
MAX_FILE = 2 << 30
MAX_SEEN = 100_000
# Marks that a client moves from message to message; they make no message a new one.
_MARKS = frozenset({"cache_control"})


class Transcript:
    """Appends to a file that only this user can read.

    Args:
        path: of the file; its folder is made.
        redactor: takes out secrets.
        most: bytes of an entry; of a longer one only the beginning is kept, as text.
    """

    def __init__(self, path: Path, redactor: Redactor, most: int = MAX_ENTRY) -> None:
        self._path, self._redactor, self._most = path, redactor, most
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def new(self, items: Sequence[Any]) -> list[Any]:
        """The messages that were not in an earlier request."""
        found = []
        with self._lock:
            if len(self._seen) > MAX_SEEN:
                self._seen.clear()
            for item in items:
                digest = digest_text(json.dumps(_plain(item), sort_keys=True))
                if digest not in self._seen:
                    self._seen.add(digest)
                    found.append(item)
        return found

    def write(self, entry: Mapping[str, Any]) -> None:
        """Append an entry, without secrets; nothing once the file has `MAX_FILE` bytes."""
        clean = self._redactor.json(entry, MAX_STRING)
        line = json.dumps(clean)
        if len(line) > self._most:
            head = {name: value for name, value in clean.items() if not _large(value)}
            line = json.dumps(head | {"cut": line[: self._most // 2]})
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._lock:
            with os.fdopen(os.open(self._path, flags, 0o600), "wb") as file:
                if os.fstat(file.fileno()).st_size < MAX_FILE:
                    file.write(line.encode() + b"\n")


def _large(value: Any) -> bool:
    return isinstance(value, dict | list | str) and len(json.dumps(value)) > 1000


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items() if name not in _MARKS}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value
