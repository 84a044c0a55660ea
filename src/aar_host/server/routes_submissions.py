"""Handing in methods, and asking how they stand."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.concurrency import run_in_threadpool

from aar_host.auth import Actor
from aar_host.feedback import answer
from aar_host.server.access import Hall, InHall, Reader, Researcher
from aar_host.server.bodies import ID_PATTERN, SubmissionBody
from aar_host.server.cards import check_card
from aar_host.server.source import check_source
from aar_host.store import Tier
from aar_host.store.jobs import jobs_of
from aar_host.store.scores import scores_of
from aar_host.store.submissions import (
    UNFINISHED,
    Draft,
    Submission,
    add_submission,
    get_submission,
    list_submissions,
    method_source,
    status_of,
)
from aar_lab.errors import UnknownName
from aar_lab.integrity import check_integrity
from aar_lab.types import JobStatus, MethodCard, Role

MAX_WAIT = 30.0
POLL_SECONDS = 0.2

router = APIRouter(prefix="/v1/submissions")

SubmissionId = Annotated[str, Path(pattern=ID_PATTERN)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, allow_inf_nan=False)]


@router.post("", status_code=202)
def submit(hall: InHall, researcher: Researcher, body: SubmissionBody) -> dict[str, Any]:
    """Hand in a method; the host trains it on seeds of its own and scores it.

    The same again from the same author is the same submission, and is not charged again.
    """
    check_source(body.source)
    check_integrity(body.source, hall.monitors)
    card = MethodCard(body.card.title, body.card.idea, body.card.family)
    check_card(card)
    draft = Draft(body.source, card, tuple(body.builds_on))
    submission = add_submission(hall.store, hall.campaign, researcher.id, draft)
    return {"submission": submission, "status": status_of(hall.store, submission)}


@router.get("")
def own(hall: InHall, reader: Reader) -> dict[str, Any]:
    """The submissions of whoever asks, oldest first."""
    mine = list_submissions(hall.store, hall.campaign, reader.id)
    scores = scores_of(hall.store, [submission.id for submission in mine])
    return {"submissions": [_summary(hall, one, scores.get(one.id)) for one in mine]}


@router.get("/{submission}")
async def one(
    hall: InHall, reader: Reader, submission: SubmissionId, wait: Wait = 0.0
) -> dict[str, Any]:
    """A submission; with `wait`, the answer comes when it has ended, or after so many seconds."""
    until = time.monotonic() + wait
    while time.monotonic() < until:
        if await run_in_threadpool(status_of, hall.store, submission) not in UNFINISHED:
            break
        await asyncio.sleep(POLL_SECONDS)
    return await run_in_threadpool(_detail, hall, reader, submission)


@router.get("/{submission}/source")
def source(hall: InHall, _reader: Reader, submission: SubmissionId) -> dict[str, str]:
    """The source text of anybody's submission in this campaign."""
    found = _here(hall, submission)
    return {"submission": found.id, "source": method_source(hall.store, found.id)}


def _here(hall: Hall, submission: str) -> Submission:
    found = get_submission(hall.store, submission)
    if found.campaign != hall.campaign:
        raise UnknownName(submission, "there is no such submission", "See `lab leaderboard`.")
    return found


def _summary(hall: Hall, found: Submission, score: Any) -> dict[str, Any]:
    return {
        "submission": found.id,
        "author": found.author,
        "card": found.card,
        "builds_on": found.builds_on,
        "status": found.status,
        "error": found.error,
        "score": None if score is None else answer(hall.policy, score),
    }


def _detail(hall: Hall, reader: Actor, submission: str) -> dict[str, Any]:
    found = _here(hall, submission)
    score = scores_of(hall.store, [submission]).get(submission)
    jobs = jobs_of(hall.store, submission, Tier.PUBLIC)
    done = sum(job.status is JobStatus.DONE for job in jobs)
    detail = _summary(hall, found, score) | {"seeds": {"done": done, "of": len(jobs)}}
    # A log is written by a method that has seen weak labels: it never goes back to a researcher.
    if reader.role is Role.OPERATOR:
        failed = next((job for job in jobs if job.log and job.error), None)
        detail["log"] = failed.log if failed else None
    return detail
