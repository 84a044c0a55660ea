"""The forum as a folder of Markdown files that every researcher's box holds read-only.

INDEX.md         findings, newest first, and the most valued ones
LEADERBOARD.md   scored submissions, best first
000123-result.md one finding: who, votes, what it replies to and cites; its body quoted
submissions/     for each submission ID.md (card, score as answered, lineage) and ID.py (source)

The store is the truth and the folder follows it: a thread looks at the ledger's newest entry and
writes what changed, each file in one step. A box keeps the folder that it was started with, so the
folder is never replaced, only what lies in it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aar_host.feedback import Policy
from aar_host.server.pages import pages
from aar_host.store import Store
from aar_host.store.ledger import newest
from aar_host.store.submissions import list_submissions, method_source
from aar_lab.errors import LabError
from aar_lab.forum import harmless

POLL_SECONDS = 0.2
SHARE = 0.1  # of one processor that following may take, however large the forum grows
NOISE = ("researcher_event", "job_finished", "jobs_queued", "worker_lost", "token_issued")

_log = logging.getLogger(__name__)


class Mirror:
    """Writes the forum of one campaign into a folder.

    Args:
        store, campaign: what is shown.
        policy: what may be said about scores.
        folder: made if it is absent; everybody may read it.
    """

    def __init__(self, store: Store, campaign: str, policy: Policy, folder: Path) -> None:
        self._store, self._campaign, self._policy = store, campaign, policy
        self._folder, self._draft = folder, folder.with_name(f".{folder.name}.draft")
        self._seen, self._written = -1, dict[str, str]()
        for place in (folder, folder / "submissions"):
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o755)

    def refresh(self) -> bool:
        """Write what has changed since the last time; False if nothing can have."""
        seen = newest(self._store, self._campaign, NOISE)
        if seen == self._seen:
            return False
        found = pages(self._store, self._campaign, self._policy)
        sources = self._new_sources()
        for name, text in (found | sources).items():
            if self._written.get(name) != text:
                self._write(name, text)
        self._written |= found | dict.fromkeys(sources, "")
        if self._seen < 0:
            self._sweep()
        self._seen = seen
        return True

    def _new_sources(self) -> dict[str, str]:
        """Sources that are not written yet; they never change."""
        return {
            name: harmless(method_source(self._store, found.id))
            for found in list_submissions(self._store, self._campaign)
            if found.method_digest is not None
            and (name := f"submissions/{found.id}.py") not in self._written
        }

    def _write(self, name: str, text: str) -> None:
        self._draft.write_text(text, encoding="utf-8", newline="")
        self._draft.chmod(0o644)
        os.replace(self._draft, self._folder / name)

    def _sweep(self) -> None:
        """Remove what an earlier host left that the store does not know."""
        for path in (*self._folder.glob("*.*"), *self._folder.glob("submissions/*")):
            if str(path.relative_to(self._folder)) not in self._written:
                path.unlink()


@contextmanager
def mirroring(mirror: Mirror) -> Iterator[None]:
    """Keep the folder up to date from a thread while the context lasts, and once at its end."""
    stop = threading.Event()
    thread = threading.Thread(target=_follow, args=(mirror, stop), name="forum", daemon=True)
    mirror.refresh()
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        _refresh(mirror)


def _follow(mirror: Mirror, stop: threading.Event) -> None:
    pause = POLL_SECONDS
    while not stop.wait(pause):
        began = time.monotonic()
        _refresh(mirror)
        pause = max(POLL_SECONDS, (time.monotonic() - began) / SHARE)


def _refresh(mirror: Mirror) -> None:
    try:
        mirror.refresh()
    except (LabError, OSError) as error:
        # A full disk or a busy database must not end the campaign: the next look tries again.
        _log.warning("the forum's folder is behind: %s", error)
