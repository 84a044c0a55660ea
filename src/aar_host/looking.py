"""Looking at something again and again from a thread, while a context lasts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(look: Callable[[], None], seconds: float, name: str) -> Iterator[None]:
    """Look every so many seconds while the context lasts, and once at its end.

    Args:
        look: what it raises ends the thread, so it keeps what may go wrong to itself.
        name: of the thread.
    """
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(seconds):
            look()

    thread = threading.Thread(target=follow, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        look()
