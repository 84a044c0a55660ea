"""Many trainings at a time, each in a process of its own, with progress."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Any

Call = tuple[Callable[..., None], tuple[Any, ...]]

# Importing torch takes as long as a fit; the server from which workers are forked outlives a call.
IMPORTED_ONCE = ("aar_host.anchors.students",)


def run_all(
    calls: Mapping[str, Call], workers: int, progress: Callable[[str, int], None]
) -> dict[str, BaseException]:
    """Run every call, `workers` at a time, and return what each failing one raised, by name.

    When this process is interrupted, calls that have not begun are dropped; each call puts its
    result in place in one step, so the next run goes on where this one stopped.

    Args:
        calls: by name: a function at the top of a module, and its arguments.
        progress: called with a name and how many are finished.
    """
    if not calls:
        return {}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED_ONCE))
    pool = ProcessPoolExecutor(min(workers, len(calls)), mp_context=context)
    try:
        running: dict[Future[None], str] = {
            pool.submit(function, *arguments): name for name, (function, arguments) in calls.items()
        }
        failed: dict[str, BaseException] = {}
        for done, future in enumerate(as_completed(running), start=1):
            error = future.exception()
            if error is not None:
                failed[running[future]] = error
            progress(running[future], done)
        return failed
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
