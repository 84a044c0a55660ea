"""The application of one campaign."""

from __future__ import annotations

from fastapi import FastAPI

from aar_host.feedback import get_policy
from aar_host.server import routes, routes_findings, routes_submissions
from aar_host.server.access import Hall
from aar_host.server.errors import install
from aar_host.store import Store
from aar_host.store.campaigns import get_campaign


def create_app(store: Store, campaign: str) -> FastAPI:
    """The application that serves one campaign of the store; time is the store's clock.

    Raises:
        UnknownName: no such campaign, or its policy is not known to this version.
    """
    policy = get_policy(get_campaign(store, campaign).policy)
    app = FastAPI(title="A campaign of automated alignment research", version="1", docs_url=None)
    app.state.hall = Hall(store, campaign, policy)
    app.include_router(routes.router)
    app.include_router(routes_submissions.router)
    app.include_router(routes_findings.router)
    install(app)
    return app
