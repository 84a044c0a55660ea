"""The application of one campaign."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from aar_host.feedback import get_policy
from aar_host.server import mcp, routes, routes_findings, routes_predictions, routes_submissions
from aar_host.server.access import Hall, Judge, known_query
from aar_host.server.board import Board
from aar_host.server.document import document
from aar_host.server.errors import install
from aar_host.snapshots import Snapshots
from aar_host.store import Store
from aar_host.store.campaigns import Campaign, get_campaign
from aar_host.store.schema import SubmissionKind
from aar_lab.agreement import MONITORS
from aar_lab.errors import BadSettings


def create_app(
    store: Store,
    campaign: str,
    judge: Judge | None = None,
    snapshots: Snapshots | None = None,
) -> FastAPI:
    """The application that serves one campaign of the store; time is the store's clock.

    Sources are read by the integrity rules and compared with their cards, unless the campaign's
    config says `integrity: false`.

    Args:
        judge: of predictions; needed where the policy takes them.
        snapshots: where accepted methods are kept beside the store, if anywhere.

    Raises:
        UnknownName: no such campaign, or its policy is not known to this version.
        BadSettings: the policy takes predictions, and there is no judge.
    """
    plan = get_campaign(store, campaign)
    policy, monitors = get_policy(plan.policy), MONITORS if _strict(plan) else ()
    if judge is None and SubmissionKind.PREDICTIONS in policy.kinds:
        raise BadSettings(policy.name, "it takes predictions, which nobody reads", "Give a judge.")
    app = FastAPI(
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=mcp.opened,
        dependencies=[Depends(known_query)],
    )
    board = Board(store, campaign, policy)
    sharing = bool(plan.config.get("sharing", True))
    app.state.hall = Hall(store, campaign, policy, monitors, board, judge, snapshots, sharing)
    for part in (routes, routes_submissions, routes_predictions, routes_findings, mcp):
        app.include_router(part.router)
    install(app)
    document(app)
    return app


def _strict(campaign: Campaign) -> bool:
    return campaign.config.get("integrity", True) is not False
