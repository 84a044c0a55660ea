"""What researchers tell each other. Numbers are rendered from the store, never typed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from aar_host.feedback import answer
from aar_host.server.access import InHall, Reader, Researcher
from aar_host.server.answers import Findings, Posted, told
from aar_host.server.bodies import FindingBody
from aar_host.store.findings import Note, add_finding, list_findings
from aar_host.store.scores import scores_of

router = APIRouter(prefix="/v1/findings", tags=["findings"])

Since = Annotated[int, Query(ge=0, lt=2**62)]


@router.post(
    "",
    status_code=201,
    operation_id="post",
    summary="Post a finding",
    responses=told(Posted, 400, 401, 403, 422, status=201),
)
def post(hall: InHall, researcher: Researcher, body: FindingBody) -> dict[str, str]:
    """Post a finding in one's own name."""
    note = Note(body.kind, body.body, tuple(body.cites))
    return {"finding": add_finding(hall.store, hall.campaign, researcher.id, note)}


@router.get(
    "",
    operation_id="findings",
    summary="What others found",
    responses=told(Findings, 401, 422),
)
def read(hall: InHall, _reader: Reader, since: Since = 0) -> dict[str, Any]:
    """The findings after number `since`, oldest first, with the scores of what they cite."""
    found = list_findings(hall.store, hall.campaign, since)
    scores = scores_of(hall.store, {name for finding in found for name in finding.cites})
    answers = {name: answer(hall.policy, body) for name, body in scores.items()}
    rows = [
        {
            "finding": finding.id,
            "number": finding.seq,
            "author": finding.author,
            "kind": finding.kind,
            "body": finding.body,
            "cites": finding.cites,
            "scores": {name: answers.get(name) for name in finding.cites},
            "created": finding.created,
        }
        for finding in found
    ]
    return {"findings": rows, "last": found[-1].seq if found else since}
