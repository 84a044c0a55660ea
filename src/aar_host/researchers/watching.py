"""Follows a session from its first line of output to its end, or cuts it."""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import suppress

from aar_host.researchers.base import Cut, SessionEnd, Watch
from aar_host.sandbox import Box

MAX_LINE_BYTES = 1 << 20
_CHUNK = 65536
_TICK_SECONDS = 0.2


class Lines:
    """Cuts a stream of bytes into lines of limited length; what is longer loses its end.

    Args:
        watch: is given each line.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch, self._begun = watch, bytearray()
        self.bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Some more of the stream."""
        self.bytes += len(chunk)
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            self._append(piece)
            self.end()
        self._append(rest)

    def end(self) -> None:
        """Nothing more of the present line."""
        if self._begun:
            self.watch.line(bytes(self._begun))
            self._begun.clear()

    def _append(self, piece: bytes) -> None:
        self._begun += piece[: MAX_LINE_BYTES - len(self._begun)]


def follow(box: Box, stdin: str, watch: Watch) -> SessionEnd:
    """Give the program its input, hand on its output, end it where the watch says so."""
    threading.Thread(target=_feed, args=(box, stdin.encode()), daemon=True).start()
    lines, until = Lines(watch), time.monotonic() + watch.seconds
    cut = _read(box, lines, until)
    if cut is None:
        cut = _outlast(box, lines, until)
    if cut is not None:
        box.kill()
    lines.end()
    with suppress(BrokenPipeError):
        box.stdin.close()
    box.stdout.close()
    exit_ = box.wait()
    return SessionEnd(exit_.status, exit_.code, exit_.log, cut)


def _feed(box: Box, content: bytes) -> None:
    # The pipe is closed by whoever is first: here, or where the session has ended meanwhile.
    with suppress(OSError, ValueError):
        box.stdin.write(content)
        box.stdin.close()


def _read(box: Box, lines: Lines, until: float) -> Cut | None:
    """Up to the end of the output (None), or why not."""
    descriptor = box.stdout.fileno()
    os.set_blocking(descriptor, False)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    asked = 0.0
    while True:
        if poll.poll(_TICK_SECONDS * 1000):
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                return None
            lines.feed(chunk)
        now = time.monotonic()
        if lines.bytes > lines.watch.bytes:
            return Cut.FLOOD
        if now >= asked:
            asked = now + _TICK_SECONDS
            if cut := _due(lines, until):
                return cut


def _outlast(box: Box, lines: Lines, until: float) -> Cut | None:
    """Up to the end of a program that has closed its output."""
    while True:
        try:
            box.wait(_TICK_SECONDS)
        except TimeoutError:
            if cut := _due(lines, until):
                return cut
        else:
            return None


def _due(lines: Lines, until: float) -> Cut | None:
    return Cut.TIME if time.monotonic() > until else lines.watch.cut()
