"""`aar fsck`: is everything of a campaign as it was written, and does every score follow from it?

It only reads, so it can run beside the campaign's server and after any crash.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from aar_host.jobs.grounds import Grounds
from aar_host.jobs.judging import Judge
from aar_host.jobs.places import view_campaign_store
from aar_host.jobs.settle import score_jobs
from aar_host.store import Store, Tier
from aar_host.store.evidence import Check, checked
from aar_host.store.proof import prove
from aar_host.store.schema import SubmissionKind, scores, submissions

# As exact as another processor's last bits allow; the ledger's digest of a score is exact.
TOLERANCE = 1e-9

Recompute = Callable[[str, Tier], Mapping[str, Any]]


def fsck(directory: Path) -> list[Check]:
    """All checks of the campaign that lives in `directory`.

    Raises:
        BadInput: no campaign lives there.
        Unavailable, Conflict, BadSettings: its database cannot be read; see `view_campaign_store`.
    """
    store, campaign = view_campaign_store(directory)
    found = prove(store, campaign)
    rest = partial(_recomputed, store, campaign, Grounds(directory))
    found.append(checked("recomputed scores", rest))
    store.close()
    return found


def _recomputed(store: Store, campaign: str, grounds: Grounds) -> tuple[str, list[str]]:
    query = (
        select(scores.c.submission, scores.c.tier, scores.c.body, submissions.c.kind)
        .join(submissions, submissions.c.id == scores.c.submission)
        .where(submissions.c.campaign == campaign)
        .order_by(scores.c.submission, scores.c.tier)
    )
    with store.reading() as connection:
        rows = connection.execute(query).all()
    # What was handed in → how its score follows from stored predictions and the vault.
    recompute: Mapping[SubmissionKind, Recompute] = {
        SubmissionKind.METHOD: partial(score_jobs, store, grounds),
        SubmissionKind.PREDICTIONS: Judge(store, grounds).recompute,
    }
    faults = [
        f"{row.tier} score of {row.submission} does not follow from its predictions"
        for row in rows
        if not alike(row.body, recompute[row.kind](row.submission, row.tier))
    ]
    return f"{len(rows)} scores follow from their predictions", faults


def alike(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, numbers within `TOLERANCE` of their size."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)
