"""The application of one campaign."""

from __future__ import annotations

from fastapi import FastAPI

from aar_host.feedback import get_policy
from aar_host.server import routes, routes_findings, routes_submissions
from aar_host.server.access import Hall
from aar_host.server.errors import install
from aar_host.snapshots import Snapshots
from aar_host.store import Store
from aar_host.store.campaigns import Campaign, get_campaign
from aar_lab.integrity import read_rules


def create_app(store: Store, campaign: str, snapshots: Snapshots | None = None) -> FastAPI:
    """The application that serves one campaign of the store; time is the store's clock.

    Sources are read by the integrity rules, unless the campaign's config says `integrity: false`.

    Args:
        snapshots: where accepted methods are kept beside the store, if anywhere.

    Raises:
        UnknownName: no such campaign, or its policy is not known to this version.
    """
    plan = get_campaign(store, campaign)
    policy, monitors = get_policy(plan.policy), (read_rules,) if _strict(plan) else ()
    app = FastAPI(title="A campaign of automated alignment research", version="1", docs_url=None)
    app.state.hall = Hall(store, campaign, policy, monitors, snapshots)
    app.include_router(routes.router)
    app.include_router(routes_submissions.router)
    app.include_router(routes_findings.router)
    install(app)
    return app


def _strict(campaign: Campaign) -> bool:
    return campaign.config.get("integrity", True) is not False
