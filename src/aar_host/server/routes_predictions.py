"""Handing in predictions, where the campaign's policy takes them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from aar_host.server.access import Hall, InHall, Judge, Researcher
from aar_host.server.answers import Accepted, TestInputs, told
from aar_host.server.bodies import PredictionsBody
from aar_host.server.cards import check_card
from aar_host.server.routes_submissions import check_kind
from aar_host.store.claims import Claim, add_claim, refuse_claim
from aar_host.store.predictions import content_of
from aar_host.store.schema import SubmissionKind
from aar_lab.cards import MethodCard
from aar_lab.errors import BadInput, Conflict
from aar_lab.types import JobStatus

router = APIRouter(prefix="/v1", tags=["submissions"])


@router.get(
    "/inputs",
    operation_id="inputs",
    summary="All test inputs",
    responses=told(TestInputs, 401, 403, 409),
)
def inputs(hall: InHall, _researcher: Researcher) -> dict[str, Any]:
    """All test inputs, where predictions are taken; else they are withheld."""
    found = _judge(hall).inputs
    rows = zip(found.ids, found.data, strict=True)
    return {"inputs": [{"id": name, "data": data} for name, data in rows]}


@router.post(
    "/predictions",
    status_code=202,
    operation_id="answer",
    summary="Hand in predictions",
    responses=told(Accepted, 400, 401, 403, 409, 422, 429, status=202),
)
def predict(hall: InHall, researcher: Researcher, body: PredictionsBody) -> dict[str, Any]:
    """Hand in P(y = 1) for every test input; what cannot be read is charged all the same."""
    judge = _judge(hall)
    card = MethodCard.from_dict(body.card.model_dump())
    check_card(card)
    try:
        parts = judge.read(body.predictions)
    except BadInput as error:
        refuse_claim(hall.store, hall.campaign, researcher.id, card, error)
        raise
    claim = Claim(parts, content_of(parts), card, tuple(body.builds_on))
    submission = add_claim(hall.store, hall.campaign, researcher.id, claim, hall.policy.gate)
    judge.judge(submission)
    return {"submission": submission, "status": JobStatus.DONE}


def _judge(hall: Hall) -> Judge:
    check_kind(hall, SubmissionKind.PREDICTIONS)
    if hall.judge is None:
        raise Conflict("test inputs", "they are withheld here", "Hand in a method.")
    return hall.judge
