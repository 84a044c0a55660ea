"""What researchers tell each other. Numbers are rendered from the store, never typed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from aar_host.server.access import InHall, Reader, Researcher
from aar_host.server.answers import told
from aar_host.server.answers_forum import Findings, Posted, Voted
from aar_host.server.bodies import ID_PATTERN, FindingBody, VoteBody
from aar_host.server.forum import finding_rows
from aar_host.store.findings import Note, add_finding
from aar_host.store.votes import read_page, vote

MAX_PAGE = 1000

router = APIRouter(prefix="/v1/findings", tags=["findings"])

FindingId = Annotated[str, Path(pattern=ID_PATTERN)]
Since = Annotated[int, Query(ge=0, lt=2**62)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


@router.post(
    "",
    status_code=201,
    operation_id="post",
    summary="Post a finding",
    responses=told(Posted, 400, 401, 403, 422, 429, status=201),
)
def post(hall: InHall, researcher: Researcher, body: FindingBody) -> dict[str, str]:
    """Post a finding in one's own name; the very same again gives the id of the first."""
    note = Note(body.kind, body.body, tuple(body.cites), body.parent)
    return {"finding": add_finding(hall.store, hall.campaign, researcher.id, note)}


@router.post(
    "/{finding}/vote",
    operation_id="vote",
    summary="Vote on a finding",
    responses=told(Voted, 400, 401, 403, 404, 409, 422, 429),
)
def cast(
    hall: InHall, researcher: Researcher, finding: FindingId, body: VoteBody
) -> dict[str, Any]:
    """Vote on somebody else's finding, or change one's vote."""
    tally = vote(hall.store, hall.campaign, researcher.id, finding, body.value)
    return {"finding": finding, "votes": tally.as_dict()}


@router.get(
    "",
    operation_id="findings",
    summary="What others found",
    responses=told(Findings, 401, 422),
)
def read(hall: InHall, reader: Reader, since: Since = 0, limit: Limit = MAX_PAGE) -> dict[str, Any]:
    """What is new after number `since`: findings, oldest first, with the scores of what they cite;
    and earlier findings on which somebody voted since. `last` is the `since` of the next page."""
    page = read_page(hall.store, hall.campaign, since, limit)
    shown = [one for one in page.findings if hall.shows(reader, one.author)]
    rows = finding_rows(hall.store, hall.policy, shown, page.roots, page.tallies)
    changed = [
        {"finding": name, "number": seq, "votes": page.tallies[name].as_dict()}
        for name, seq in page.changed.items()
        if hall.sharing
    ]
    return {"findings": rows, "votes": changed, "last": page.last}
