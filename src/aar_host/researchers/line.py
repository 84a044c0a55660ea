"""A seat's line to its model: the forwarder's socket, and what was said over it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aar_host.researchers.base import CallNote, CallOutcome, Station, Wire
from aar_lab.errors import BadSettings


class CallLog:
    """The model calls of one seat in this run; any thread may add one or ask for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: list[CallNote] = []

    def add(self, note: CallNote) -> None:
        """Keep a call that has ended; it is numbered in the order of arrival."""
        with self._lock:
            self._notes.append(CallNote(len(self._notes) + 1, note.outcome, note.tools))

    def tell(self, outcome: CallOutcome, tools: tuple[str, ...] = ()) -> None:
        """The same from its parts."""
        self.add(CallNote(0, outcome, tools))

    def since(self, number: int = 0) -> Sequence[CallNote]:
        """The calls with numbers above `number`."""
        with self._lock:
            return tuple(self._notes[number:])


@dataclass(frozen=True)
class Line:
    """What joins a seat and its model.

    Args:
        model: what a program at the seat calls it.
        wire: the protocol that it speaks.
        socket: of the seat's own forwarder, on the host.
        calls: the calls with numbers above a number, as `CallLog.since`.
    """

    model: str
    wire: Wire
    socket: Path
    calls: Callable[[int], Sequence[CallNote]]


def need_model(station: Station, wire: Wire, driver: str) -> str:
    """What the model of a seat is called; `BadSettings` if it does not speak that protocol."""
    if station.model is None:
        raise BadSettings(driver, "it needs a model and its seat has none", "Name a model.")
    if station.wire is not wire:
        raise BadSettings(
            f"{driver} with {station.model}",
            f"it speaks the protocol {wire}, its model {station.wire}",
            f"Choose a model of the protocol {wire}, or the driver inspect.",
        )
    return station.model
