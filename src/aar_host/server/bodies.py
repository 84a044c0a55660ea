"""The bodies that clients may send. Text is refused if no database could store it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from aar_host.store.findings import MAX_BODY
from aar_host.store.submissions import MAX_BUILDS_ON
from aar_lab.types import MAX_SOURCE_BYTES, FindingKind

ID_PATTERN = "^[0-9a-f]{12}$"


def _storable(text: str) -> str:
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds a NUL or a lone surrogate")
    return text


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is true or false, not a number")
    return value


Text = Annotated[str, AfterValidator(_storable)]
Id = Annotated[str, Field(pattern=ID_PATTERN)]


class Body(BaseModel):
    """A JSON object without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class CardBody(Body):
    """A method in words; written before any result, and containing none."""

    title: Text = Field(examples=["Naive on confident labels"])
    idea: Text = Field(examples=["Uncertain weak labels are mostly wrong: leave them out."])
    family: Text = Field(default="other", examples=["data filtering"])


class SubmissionBody(Body):
    """A method as source text, with its card and what it builds on."""

    source: str = Field(max_length=MAX_SOURCE_BYTES, examples=["def train(task, rng): ..."])
    card: CardBody
    builds_on: list[Id] = Field(default=[], max_length=MAX_BUILDS_ON)


class FindingBody(Body):
    """A finding; its author is whoever the token belongs to."""

    kind: FindingKind
    body: Text = Field(min_length=1, max_length=MAX_BODY)
    cites: list[Id] = Field(default=[], max_length=MAX_BUILDS_ON)
    parent: Id | None = Field(default=None, description="The finding that it replies to.")


class VoteBody(Body):
    """Whether somebody else's finding is useful (1) or not (−1)."""

    value: Annotated[Literal[1, -1], BeforeValidator(_no_truth_value)]
