"""What the routes of forum and lineage answer, as the OpenAPI document tells it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from aar_host.server.answers import SHOWN, Answer, Id, Told
from aar_lab.types import FindingKind, JobStatus


class Posted(Answer):
    """A finding that was posted."""

    finding: Id


class Votes(Answer):
    """What others think of a finding."""

    sum: int = Field(examples=[2])
    up: int = Field(ge=0, examples=[3])
    down: int = Field(ge=0, examples=[1])


class Voted(Answer):
    """The votes of a finding after one's own."""

    finding: Id
    votes: Votes


class Node(Answer):
    """A submission in the lineage."""

    submission: Id
    author: str = Field(examples=["ada"])
    title: str = Field(examples=["Naive on confident labels"])
    status: JobStatus
    score: Told | None
    created: float = Field(examples=[1764000000.0])


class Edge(BaseModel):
    """A submission builds on another, or a finding cites one."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    kind: Literal["builds_on", "cites"]
    source: Id = Field(alias="from")
    to: Id


class Lineage(Answer):
    """What builds on what, oldest first."""

    nodes: list[Node]
    edges: list[Edge]


class Finding(Answer):
    """What somebody found; its numbers come from the store."""

    finding: Id
    number: int = Field(ge=1, examples=[41], description="grows with time")
    author: str = Field(examples=["ada"])
    kind: FindingKind
    body: str = Field(examples=["Soft labels lose to hard ones."])
    mark: str | None = Field(description="said where the author typed a score")
    cites: list[Id]
    scores: dict[str, Told | None] = Field(
        examples=[{SHOWN: {"pgr": 0.74, "interval": [0.61, 0.85]}}]
    )
    parent: Id | None = Field(description="the finding that it replies to")
    thread: Id = Field(description="the first finding of its thread")
    votes: Votes
    created: float = Field(examples=[1764000000.0], description="seconds since 1970")


class Changed(Answer):
    """Votes that an earlier finding was given since."""

    finding: Id
    number: int = Field(ge=1, examples=[44])
    votes: Votes


class Findings(Answer):
    """Findings, oldest first, and changed votes; `last` is the number to go on from."""

    findings: list[Finding]
    votes: list[Changed]
    last: int = Field(ge=0, examples=[41])
