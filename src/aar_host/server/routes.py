"""What a campaign tells: that it lives, what it asks, and who leads."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query

from aar_host.server.access import InHall, Reader
from aar_host.server.answers import Brief, Health, Leaderboard, told
from aar_host.server.answers_forum import Lineage
from aar_host.server.lineage import MAX_NODES, lineage
from aar_host.store.campaigns import get_campaign
from aar_host.store.spending import limits

router = APIRouter(prefix="/v1", tags=["campaign"])

DEFAULT_TOP = 100
Top = Annotated[int, Query(ge=1, le=MAX_NODES)]
Limit = Annotated[int, Query(ge=1, le=MAX_NODES)]


@router.get(
    "/health", operation_id="health", summary="Whether the server answers", responses=told(Health)
)
def health(hall: InHall) -> dict[str, str]:
    """Whether the server answers; the only route without a token."""
    return {"status": "ok", "campaign": hall.campaign}


@router.get("/brief", operation_id="brief", summary="What is asked", responses=told(Brief, 401))
def brief(hall: InHall, reader: Reader) -> dict[str, Any]:
    """What the campaign asks, under which rules, and what is left of its budget."""
    campaign = get_campaign(hall.store, hall.campaign)
    config = campaign.config
    seconds = config.get("seconds")
    left = None if seconds is None else max(0.0, seconds - campaign.ran)
    return {
        "campaign": campaign.id,
        "problem": campaign.problem,
        "version": campaign.version,
        "you": {"name": reader.name, "role": reader.role},
        "objective": config.get("objective"),
        "rules": config.get("rules"),
        "kinds": hall.policy.kinds,
        "seeds": config["seeds"],
        "state": campaign.state,
        "submissions_left": max(0, config["max_submissions"] - campaign.charged),
        "seconds_left": left if left is None else round(left, 1),
        "budget": limits(hall.store, hall.campaign, reader.id),
    }


@router.get(
    "/leaderboard",
    operation_id="leaderboard",
    summary="The scored submissions",
    responses=told(Leaderboard, 401, 422),
)
def board(hall: InHall, reader: Reader, limit: Top = DEFAULT_TOP) -> dict[str, Any]:
    """The best scored submissions; those without a number come last."""
    return {"leaderboard": hall.board.rows(limit, partial(hall.shows, reader))}


@router.get(
    "/lineage",
    operation_id="lineage",
    summary="What builds on what",
    responses=told(Lineage, 401, 422),
)
def graph(hall: InHall, reader: Reader, limit: Limit = MAX_NODES) -> dict[str, Any]:
    """The newest submissions, what each builds on, and what findings cite."""
    found = lineage(hall.store, hall.campaign, hall.policy, limit)
    nodes = [node for node in found["nodes"] if hall.shows(reader, node["author"])]
    if len(nodes) == len(found["nodes"]):
        return found
    own = {node["submission"] for node in nodes}
    edges = [edge for edge in found["edges"] if edge["from"] in own]
    return {"nodes": nodes, "edges": edges}
