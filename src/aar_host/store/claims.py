"""Submissions of predictions: charged, compared with all earlier ones, and stored, in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, insert, select

from aar_host.store.campaigns import charge, find_campaign
from aar_host.store.database import Store, new_id
from aar_host.store.ledger import Event, append
from aar_host.store.predictions import Predicted, insert_predictions
from aar_host.store.schema import SubmissionKind, Tier, predictions, submissions
from aar_host.store.spending import telling
from aar_host.store.submissions import check_budget, check_known, check_open
from aar_lab.cards import MethodCard
from aar_lab.digest import digest_json
from aar_lab.errors import LabError
from aar_lab.types import JobStatus, Predictions, Recipe

THRESHOLD = 0.5


@dataclass(frozen=True)
class Claim:
    """What a researcher hands in instead of a method.

    Args:
        parts: predictions for every item of every part of the test data, by part.
        content: digest of what was handed in.
        builds_on: ids of submissions.
    """

    parts: Mapping[Tier, Predictions]
    content: str
    card: MethodCard
    builds_on: tuple[str, ...] = ()


def add_claim(
    store: Store, campaign: str, actor: str, claim: Claim, gate: float | None = None
) -> str:
    """Accept and charge predictions; the same ones again from the same actor are the same claim.

    Args:
        gate: predictions whose answers (above or not above `THRESHOLD`) differ from anyone's
            earlier ones on at most this share of the answering items are to be given the answer
            of the nearest of those (`submissions.answers_as`).

    Returns:
        The id of the submission.

    Raises:
        Conflict: the campaign is not open.
        OverBudget: the caps of the actor or the pool are reached; nothing is charged.
        BadInput: `builds_on` names a submission that this campaign does not have.
    """
    submission, now = new_id(), store.clock()
    with store.writing() as connection:
        plan = find_campaign(connection, campaign)
        again = _same(connection, actor, claim)
        if again is not None:
            return again
        check_open(plan)
        check_known(connection, plan, actor, claim.builds_on)
        check_budget(connection, plan, actor, now)
        earlier = _near(connection, campaign, claim, gate)
        row = _row(claim.content, claim.card, claim.builds_on) | {"answers_as": earlier}
        with telling(connection, plan, actor, ["submissions"], now):
            charge(connection, campaign)
            _insert(connection, (campaign, actor, submission), row, now)
        digests = {
            tier.value: insert_predictions(
                connection, (submission, tier, 0), Predicted(part, Recipe())
            )
            for tier, part in claim.parts.items()
        }
        payload = {
            "submission": submission,
            "kind": SubmissionKind.PREDICTIONS,
            "content": claim.content,
            "predictions": digests,
            "card": digest_json(row["card"]),
            "builds_on": row["builds_on"],
            "answers_as": earlier,
        }
        append(connection, now, Event(campaign, "submission_accepted", payload, actor))
    return submission


def refuse_claim(
    store: Store, campaign: str, actor: str, card: MethodCard, error: LabError
) -> None:
    """Charge predictions that cannot be read; raises as `add_claim` if nothing can be charged."""
    submission, now = new_id(), store.clock()
    with store.writing() as connection:
        plan = find_campaign(connection, campaign)
        check_open(plan)
        check_budget(connection, plan, actor, now)
        ended = {"status": JobStatus.BAD_OUTPUT, "error": error.as_dict(), "finished": now}
        with telling(connection, plan, actor, ["submissions"], now):
            charge(connection, campaign)
            _insert(connection, (campaign, actor, submission), _row("", card, ()) | ended, now)
        payload: dict[str, Any] = {
            "submission": submission,
            "content": "",
            "card": digest_json(card.as_dict()),
            "builds_on": [],
            "answers_as": None,
            "error": error.as_dict(),
        }
        append(connection, now, Event(campaign, "submission_refused", payload, actor))


def unjudged(store: Store, campaign: str) -> list[str]:
    """Accepted predictions without a score, oldest first: what was left by a crash."""
    query = (
        select(submissions.c.id)
        .where(submissions.c.campaign == campaign)
        .where(submissions.c.kind == SubmissionKind.PREDICTIONS)
        .where(submissions.c.status == JobStatus.QUEUED)
        .order_by(submissions.c.created, submissions.c.id)
    )
    with store.reading() as connection:
        return list(connection.scalars(query))


def _row(content: str, card: MethodCard, builds_on: tuple[str, ...]) -> dict[str, Any]:
    return {
        "kind": SubmissionKind.PREDICTIONS,
        "content": content,
        "card": card.as_dict(),
        "builds_on": list(builds_on),
        "status": JobStatus.QUEUED,
    }


def _insert(
    connection: Connection, key: tuple[str, str, str], row: Mapping[str, Any], now: float
) -> None:
    campaign, actor, submission = key
    connection.execute(
        insert(submissions).values(
            id=submission, campaign=campaign, actor=actor, created=now, **row
        )
    )


def _same(connection: Connection, actor: str, claim: Claim) -> str | None:
    query = select(submissions.c.id, submissions.c.card).where(
        submissions.c.actor == actor, submissions.c.content == claim.content
    )
    card = claim.card.as_dict()
    return next((row.id for row in connection.execute(query) if row.card == card), None)


def _near(connection: Connection, campaign: str, claim: Claim, gate: float | None) -> str | None:
    """The nearest earlier submission within the gate; of equals the oldest."""
    if gate is None:
        return None
    own = claim.parts[Tier.PUBLIC]
    answers = _answers(own.aligned(sorted(own.ids)))
    query = (
        select(submissions.c.id, predictions.c.probs)
        .join(predictions, predictions.c.submission == submissions.c.id)
        .where(submissions.c.campaign == campaign)
        .where(submissions.c.kind == SubmissionKind.PREDICTIONS)
        .where(predictions.c.tier == Tier.PUBLIC)
        .order_by(submissions.c.created, submissions.c.id)
    )
    found: tuple[float, str | None] = (gate, None)
    for row in connection.execute(query):
        distance = float(np.mean(_answers(np.frombuffer(row.probs, dtype="<f8")) != answers))
        if distance < found[0] or (found[1] is None and distance == gate):
            found = distance, row.id
    return found[1]


def _answers(probs: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return probs > THRESHOLD
