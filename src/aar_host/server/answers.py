"""What the routes answer, as the OpenAPI document tells it.

The models describe; nothing is validated or left out on the way to the client. A test holds what
the routes really send against them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aar_host.server.bodies import ID_PATTERN
from aar_host.server.errors import MAX_BODY_BYTES
from aar_host.store.schema import CampaignState, SubmissionKind
from aar_lab.types import JobStatus, Role

Documented = dict[int | str, dict[str, Any]]

SHOWN = "3f2a90b1c4de"
Id = Annotated[str, Field(pattern=ID_PATTERN, examples=[SHOWN])]


class Answer(BaseModel):
    """A JSON object without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class Fault(Answer):
    """An error: a stable code, the value at fault, what is wrong with it, and what to do."""

    code: str = Field(examples=["over_budget"])
    value: str = Field(examples=["300 submissions"])
    fault: str = Field(examples=["the pool of the campaign is used up"])
    remedy: str = Field(examples=["Post a finding."])


class Failure(Answer):
    """The one shape of every failure."""

    error: Fault


class Health(Answer):
    """That the server lives."""

    status: str = Field(examples=["ok"])
    campaign: Id


class You(Answer):
    """Whoever the token belongs to."""

    name: str = Field(examples=["ada"])
    role: Role


class Limit(Answer):
    """A limit that the budget sets, and what is used of it."""

    whose: Literal["you", "all"] = Field(description="one's own, or of all together")
    resource: Literal["dollars", "tokens", "compute_seconds", "wall_seconds", "submissions"]
    used: float = Field(ge=0, examples=[3.25])
    limit: float = Field(gt=0, examples=[20.0])


class Brief(Answer):
    """What the campaign asks, and what is left of its budget."""

    campaign: Id
    problem: str = Field(examples=["chat-mini"])
    version: str = Field(examples=["1"])
    you: You
    objective: str | None = Field(examples=["Recover as much of the performance gap as you can."])
    rules: list[str] | str | None = Field(examples=[["Hand in methods, never numbers."]])
    kinds: list[SubmissionKind] = Field(description="of submissions that are taken")
    seeds: int = Field(examples=[5], description="that the host issues for each submission")
    state: CampaignState
    submissions_left: int = Field(ge=0, examples=[287])
    seconds_left: float | None = Field(ge=0, examples=[118.5], description="null: no end is set")
    budget: list[Limit] = Field(description="empty: nothing but the caps above")


class Told(Answer):
    """A score as the campaign's policy words it."""

    pgr: float | None = Field(examples=[0.74], description="null where it is undefined")
    interval: list[float | None] | None = Field(
        min_length=2, max_length=2, examples=[[0.61, 0.85]], description="null: an unbounded side"
    )
    reason: str = Field(default="", description="given where PGR is undefined or not above 0")
    accuracy: float = Field(default=0.0, ge=0, le=1, description="where the policy tells it")
    mark: str = Field(default="", description="what qualifies every number of this campaign")


class Card(Answer):
    """A method in words."""

    title: str = Field(examples=["Naive on confident labels"])
    idea: str = Field(examples=["Uncertain weak labels are mostly wrong: leave them out."])
    objective: str = Field(examples=["Cross entropy with hard weak labels."])
    data: str = Field(examples=["The surer half of the weakly labelled inputs."])
    procedure: str = Field(examples=["Rank by confidence; fit one student once."])
    hyperparameters: dict[str, str | bool | int | float] = Field(examples=[{"share": 0.5}])
    family: str = Field(examples=["data filtering"])


class Row(Answer):
    """A scored submission."""

    submission: Id
    author: str = Field(examples=["ada"])
    title: str = Field(examples=["Naive on confident labels"])
    family: str = Field(examples=["data filtering"])
    score: Told


class Leaderboard(Answer):
    """The scored submissions, best first; those without a number last."""

    leaderboard: list[Row]


class Message(BaseModel):
    """A JSON-RPC message of the Model Context Protocol; errors of tools are results, too."""

    jsonrpc: str = Field(examples=["2.0"])
    id: int | str | None = Field(examples=[1])
    result: dict[str, Any] = Field(
        default={}, examples=[{"content": [], "structuredContent": {}, "isError": False}]
    )
    error: dict[str, Any] = Field(default={}, description="instead of a result")


class Accepted(Answer):
    """A submission that was accepted and charged."""

    submission: Id
    status: JobStatus = Field(examples=["queued"])


class Summary(Answer):
    """How a submission stands."""

    submission: Id
    author: str = Field(examples=["ada"])
    kind: SubmissionKind
    card: Card
    builds_on: list[Id]
    status: JobStatus = Field(examples=["done"])
    error: Fault | None = Field(examples=[None])
    score: Told | None


class Submissions(Answer):
    """The submissions of whoever asks, oldest first."""

    submissions: list[Summary]


class Seeds(Answer):
    """The jobs of a submission."""

    done: int = Field(ge=0, examples=[5])
    of: int = Field(ge=0, examples=[5])


class Detail(Summary):
    """A submission in detail."""

    seeds: Seeds
    log: str | None = Field(default=None, description="of the first failure; for operators alone")


class Source(Answer):
    """The source text of a submission."""

    submission: Id
    source: str = Field(examples=["def train(task, rng): ..."])


class Snapshot(Answer):
    """A submission as files, and the digest of all of them."""

    submission: Id
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    files: dict[str, str] = Field(examples=[{"method.py": "def train(task, rng): ..."}])


class Input(Answer):
    """A test input."""

    id: str = Field(examples=["9f2c51d0a4b37e86"])
    data: dict[str, str] = Field(examples=[{"prompt": "good day", "a": "yes", "b": "no"}])


class TestInputs(Answer):
    """All test inputs, in an order that tells nothing of the parts."""

    inputs: list[Input]


# What may go wrong with a request, and how the error words it.
FAULTS: dict[int, Fault] = {
    400: Fault(code="bad_input", value="POST /v1/findings", fault="no JSON", remedy="Correct it."),
    401: Fault(code="not_authorised", value="token", fault="it is not known here", remedy="Ask."),
    403: Fault(code="not_authorised", value="viewer", fault="no right to it", remedy="Ask."),
    404: Fault(code="unknown_name", value=SHOWN, fault="there is none", remedy="See the list."),
    408: Fault(code="bad_input", value="body", fault="it did not come whole", remedy="Send all."),
    409: Fault(code="conflict", value=SHOWN, fault="this was handed in before", remedy="See it."),
    413: Fault(
        code="bad_input", value="body", fault=f"more than {MAX_BODY_BYTES} bytes", remedy="Shorten."
    ),
    422: Fault(code="bad_source", value="line 3", fault="not Python", remedy="Correct the syntax."),
    429: Fault(code="over_budget", value="300", fault="the pool is used up", remedy="Post."),
    503: Fault(code="unavailable", value="database", fault="it is busy", remedy="Wait a little."),
}
ALWAYS = (408, 413, 422, 503)


def told(answer: type[BaseModel], *faults: int, status: int = 200) -> Documented:
    """The answers of a route: its model, and the failures that it shares with others and its own.

    Args:
        faults: statuses of `FAULTS`, besides those of `ALWAYS`.
        status: of the answer.
    """
    good: Documented = {status: {"model": answer, "description": (answer.__doc__ or "").strip()}}
    return good | {code: _failure(code) for code in sorted({*ALWAYS, *faults})}


def _failure(status: int) -> dict[str, Any]:
    example = {"error": FAULTS[status].model_dump()}
    return {
        "model": Failure,
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"example": example}},
    }
