"""HTTP on a socket that hostile programs reach: a bounded number of connections, no idle ones.

A program in a box can open connections until the host has no file left to open, and never send a
request on them. So whoever comes when all are taken is turned away, and a connection on which no
whole head of a request comes in time is ended.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0


class Guarded(H11Protocol):
    """The protocol of one connection; `guarded` makes one with limits."""

    most = 256
    head_seconds = HEAD_SECONDS
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by the loop."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """The clock runs from the first byte of a head, or from its beginning, to its last."""
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self._late is None:
            self._late = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def guarded(most: int, head_seconds: float = HEAD_SECONDS) -> type[asyncio.Protocol]:
    """For uvicorn: at most so many connections, each with so long for the head of a request."""
    return type("Guarded", (Guarded,), {"most": most, "head_seconds": head_seconds})
