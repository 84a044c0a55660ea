"""Snapshots of accepted methods; the store is the truth, and what is missing is made from it."""

from __future__ import annotations

import logging

from aar_host.snapshots import Snapshots, method_files, pack
from aar_host.store import Store
from aar_host.store.submissions import (
    Submission,
    get_submission,
    list_submissions,
    method_source,
)
from aar_lab.digest import digest_bytes
from aar_lab.errors import LabError

_log = logging.getLogger(__name__)


def files_of(store: Store, found: Submission) -> dict[str, bytes]:
    """The files of a submission of a method; `UnknownName` if it holds none."""
    return method_files(method_source(store, found.id), found.card, found.builds_on)


def keep(store: Store, snapshots: Snapshots, submission: str) -> None:
    """Put the snapshot of a submission that was just accepted.

    What was accepted stays so where this fails: `keep_missing` makes it good at the next start.
    """
    try:
        snapshots.put(files_of(store, get_submission(store, submission)))
    except LabError as error:
        _log.warning("no snapshot of %s yet: %s", submission, error)


def keep_missing(store: Store, snapshots: Snapshots, campaign: str) -> int:
    """Put the snapshots that a campaign's methods lack; returns how many there were."""
    known, made = snapshots.digests(), 0
    for found in list_submissions(store, campaign):
        if found.method_digest is not None:
            files = files_of(store, found)
            if digest_bytes(pack(files)) not in known:
                snapshots.put(files)
                made += 1
    return made
