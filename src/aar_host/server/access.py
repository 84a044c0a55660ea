"""What a route knows of its request: the campaign it serves, and who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aar_host.auth import Actor, authenticate
from aar_host.feedback import Policy
from aar_host.server.board import Board
from aar_host.snapshots import Snapshots
from aar_host.store import Store, Tier
from aar_lab.errors import BadInput, NotAuthorised
from aar_lab.integrity import Monitor
from aar_lab.types import RESEARCHERS, Inputs, Predictions, Role

READERS = (*RESEARCHERS, Role.OPERATOR, Role.VIEWER)

_bearer = HTTPBearer(auto_error=False, description="The token that the operator issued.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Judge(Protocol):
    """Reads and scores predictions; see `aar_host.jobs.judging`."""

    @property
    def inputs(self) -> Inputs:
        """All test inputs, in an order that tells nothing of the parts."""

    def read(self, rows: Mapping[str, float]) -> Mapping[Tier, Predictions]:
        """The predictions of every part; `BadInput` if ids or values are wrong."""

    def judge(self, submission: str) -> None:
        """Score a submission on the answering part; asking again changes nothing."""


@dataclass(frozen=True)
class Hall:
    """What all routes of one server share.

    Args:
        store, campaign: where everything is kept, and under which campaign.
        policy: what may be said about scores.
        monitors: they read a source and its card before it is accepted.
        board: the leaderboard as it is told.
        judge: of predictions; None where none are taken.
        snapshots: where accepted methods are kept beside the store, if anywhere.
        sharing: whether researchers see what others found and handed in.
    """

    store: Store
    campaign: str
    policy: Policy
    monitors: tuple[Monitor, ...]
    board: Board
    judge: Judge | None = None
    snapshots: Snapshots | None = None
    sharing: bool = True

    def shows(self, reader: Actor, author: str) -> bool:
        """Whether what somebody handed in or posted is shown to a reader."""
        return self.sharing or reader.role not in RESEARCHERS or reader.name == author


def _hall(request: Request) -> Hall:
    hall: Hall = request.app.state.hall
    return hall


InHall = Annotated[Hall, Depends(_hall)]


def known_query(request: Request) -> None:
    """`BadInput` for a query parameter that the route does not have: it would mean nothing."""
    route = request.scope.get("route")
    known = (
        {f.alias for f in route.dependant.query_params} if isinstance(route, APIRoute) else set()
    )
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        told = ", ".join(sorted(known)) or "none"
        raise BadInput(
            f"query {unknown!r:.80}", "the route has no such parameter", f"Known: {told}."
        )


def only(*roles: Role) -> Callable[..., Actor]:
    """A dependency that lets in the given roles of this server's campaign, and no one else."""

    def admit(
        request: Request,
        hall: InHall,
        header: Bearer,
    ) -> Actor:
        if header is None:
            raise NotAuthorised(
                "request", "it has no token", "Send `Authorization: Bearer <token>`."
            )
        actor = authenticate(hall.store, header.credentials)
        if actor.campaign != hall.campaign:
            raise NotAuthorised("token", "it is of another campaign", "Ask for one of this.")
        request.state.actor = actor
        if actor.role not in roles:
            raise NotAuthorised(actor.role, "this role may not do that", "Use another token.")
        return actor

    return admit


Researcher = Annotated[Actor, Depends(only(*RESEARCHERS))]
Reader = Annotated[Actor, Depends(only(*READERS))]
