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
from aar_host.server.answers import Accepted, Detail, Snapshot, Source, Submissions, told
from aar_host.server.bodies import ID_PATTERN, SubmissionBody
from aar_host.server.cards import check_card
from aar_host.server.keeping import files_of, keep
from aar_host.server.source import check_source
from aar_host.snapshots import pack
from aar_host.store import Tier
from aar_host.store.jobs import jobs_of
from aar_host.store.schema import SubmissionKind
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
from aar_lab.cards import MethodCard
from aar_lab.digest import digest_bytes
from aar_lab.errors import Conflict, UnknownName
from aar_lab.integrity import check_integrity
from aar_lab.types import JobStatus, Role

MAX_WAIT = 30.0
POLL_SECONDS = 0.2

router = APIRouter(prefix="/v1/submissions", tags=["submissions"])

SubmissionId = Annotated[str, Path(pattern=ID_PATTERN)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, allow_inf_nan=False)]


@router.post(
    "",
    status_code=202,
    operation_id="submit",
    summary="Hand in a method",
    responses=told(Accepted, 400, 401, 403, 409, 422, 429, status=202),
)
def submit(hall: InHall, researcher: Researcher, body: SubmissionBody) -> dict[str, Any]:
    """Hand in a method; the host trains it on seeds of its own and scores it.

    The same again from the same author is the same submission, and is not charged again.
    """
    check_kind(hall, SubmissionKind.METHOD)
    check_source(body.source)
    card = MethodCard.from_dict(body.card.model_dump())
    check_card(card)
    check_integrity(body.source, card, hall.monitors)
    draft = Draft(body.source, card, tuple(body.builds_on))
    submission = add_submission(hall.store, hall.campaign, researcher.id, draft)
    if hall.snapshots is not None:
        keep(hall.store, hall.snapshots, submission)
    return {"submission": submission, "status": status_of(hall.store, submission)}


@router.get(
    "", operation_id="scores", summary="One's own submissions", responses=told(Submissions, 401)
)
def own(hall: InHall, reader: Reader) -> dict[str, Any]:
    """The submissions of whoever asks, oldest first."""
    mine = list_submissions(hall.store, hall.campaign, reader.id)
    scores = scores_of(hall.store, [submission.id for submission in mine])
    return {"submissions": [_summary(hall, one, scores.get(one.id)) for one in mine]}


@router.get(
    "/{submission}",
    operation_id="submission",
    summary="How a submission stands",
    responses=told(Detail, 401, 404, 422),
)
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


@router.get(
    "/{submission}/source",
    operation_id="source",
    summary="The source of a submission",
    responses=told(Source, 401, 404, 422),
)
def source(hall: InHall, reader: Reader, submission: SubmissionId) -> dict[str, str]:
    """The source text of anybody's submission in this campaign."""
    found = _here(hall, reader, submission)
    return {"submission": found.id, "source": method_source(hall.store, found.id)}


def check_kind(hall: Hall, kind: SubmissionKind) -> None:
    """`Conflict` unless the campaign's policy takes submissions of this kind."""
    if kind not in hall.policy.kinds:
        raise Conflict(
            kind,
            f"the policy {hall.policy.name} takes no such submissions",
            f"Hand in: {', '.join(hall.policy.kinds)}.",
        )


@router.get(
    "/{submission}/snapshot",
    operation_id="snapshot",
    summary="The files of a submission",
    responses=told(Snapshot, 401, 404, 422),
)
def snapshot(hall: InHall, reader: Reader, submission: SubmissionId) -> dict[str, Any]:
    """Method, card and ancestors of anybody's submission as files, with the digest of all three."""
    files = files_of(hall.store, _here(hall, reader, submission))
    texts = {name: content.decode() for name, content in files.items()}
    return {"submission": submission, "digest": digest_bytes(pack(files)), "files": texts}


def _here(hall: Hall, reader: Actor, submission: str) -> Submission:
    found = get_submission(hall.store, submission)
    if found.campaign != hall.campaign or not hall.shows(reader, found.author):
        raise UnknownName(submission, "there is no such submission", "See `lab leaderboard`.")
    return found


def _summary(hall: Hall, found: Submission, score: Any) -> dict[str, Any]:
    return {
        "submission": found.id,
        "author": found.author,
        "kind": found.kind,
        "card": found.card,
        "builds_on": found.builds_on,
        "status": found.status,
        "error": found.error,
        "score": None if score is None else answer(hall.policy, score),
    }


def _detail(hall: Hall, reader: Actor, submission: str) -> dict[str, Any]:
    found = _here(hall, reader, submission)
    if hall.judge is not None and found.kind is SubmissionKind.PREDICTIONS:
        hall.judge.judge(submission)  # a crash may have come between taking and judging it
        found = _here(hall, reader, submission)
    score = scores_of(hall.store, [submission]).get(submission)
    jobs = jobs_of(hall.store, submission, Tier.PUBLIC)
    done = sum(job.status is JobStatus.DONE for job in jobs)
    detail = _summary(hall, found, score) | {"seeds": {"done": done, "of": len(jobs)}}
    # A log is written by a method that has seen weak labels: it never goes back to a researcher.
    if reader.role is Role.OPERATOR:
        failed = next((job for job in jobs if job.log and job.error), None)
        detail["log"] = failed.log if failed else None
    return detail
