"""The boxes of a session's tools: a new one for each command, all on the seat's workspace.

One command runs at a time, so that a seat never uses much more than its memory.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread

from aar_host.sandbox import Box, BoxSpec, Exit, Sandbox

_CHUNK = 65536
_MOST_BYTES = 10 << 20


@dataclass(frozen=True)
class Command:
    """One command.

    Args:
        words: of it.
        stdin: what it reads.
        environment: variables, beside those of the seat's boxes.
        seconds: after which it is ended; None: as long as a box may live.
        most: bytes of output after which it is ended.
    """

    words: Sequence[str]
    stdin: bytes = b""
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    most: int = _MOST_BYTES


@dataclass(frozen=True)
class Outcome:
    """What a command wrote to its standard output, cut off if that was too much, and its end."""

    stdout: bytes
    cut: bool
    exit: Exit


class Boxes:
    """See the module.

    Args:
        sandbox: where boxes are started.
        spec: of each box.
    """

    def __init__(self, sandbox: Sandbox, spec: BoxSpec) -> None:
        self._sandbox, self._spec = sandbox, spec
        self.busy = anyio.Lock()

    def start(self, words: Sequence[str], environment: Mapping[str, str] | None = None) -> Box:
        """A running box; whoever starts it holds `busy` and ends it."""
        more = {**self._spec.environment, **(environment or {})}
        return self._sandbox.start(words, replace(self._spec, environment=more))

    async def run(self, command: Command) -> Outcome:
        """Run a command to its end.

        Raises:
            TimeoutError: it was ended for its time.
        """
        async with self.busy:
            box = self.start(command.words, command.environment)
            try:
                with anyio.fail_after(command.seconds):
                    return await anyio.to_thread.run_sync(
                        _talk, box, command, abandon_on_cancel=True
                    )
            finally:
                box.kill()


def _talk(box: Box, command: Command) -> Outcome:
    threading.Thread(target=_feed, args=(box, command.stdin), daemon=True).start()
    found = bytearray()
    while len(found) <= command.most and (chunk := box.stdout.read1(_CHUNK)):  # type: ignore[attr-defined]
        found += chunk
    cut = len(found) > command.most
    if cut:
        box.kill()
    done = box.wait()
    box.stdout.close()
    return Outcome(bytes(found[: command.most]), cut, done)


def _feed(box: Box, content: bytes) -> None:
    # Whoever does not read to the end, or has ended, has no need of the rest.
    with suppress(OSError, ValueError):
        box.stdin.write(content)
        box.stdin.close()
