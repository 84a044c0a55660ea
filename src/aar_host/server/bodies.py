"""The bodies that clients may send. Text is refused if no database could store it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    StrictInt,
)
from pydantic.config import JsonDict

from aar_host.store.findings import MAX_BODY
from aar_host.store.submissions import MAX_BUILDS_ON
from aar_lab.cards import MAX_HYPERPARAMETERS
from aar_lab.types import MAX_SOURCE_BYTES, FindingKind

ID_PATTERN = "^[0-9a-f]{12}$"

SUBMISSION: JsonDict = {
    "source": "from aar_lab.methods.naive import train as naive\n\n\n"
    "def train(task, rng):\n    return naive(task, rng)\n",
    "card": {
        "title": "Naive",
        "idea": "Fit the student to all weak labels as they are.",
        "objective": "Cross entropy with hard weak labels.",
        "data": "All inputs with their weak labels.",
        "procedure": "Fit one student once.",
        "hyperparameters": {},
        "family": "other",
    },
    "builds_on": [],
}
PREDICTIONS: JsonDict = {
    "predictions": {"9f2c51d0a4b37e86": 0.83},
    "card": SUBMISSION["card"],
    "builds_on": [],
}
VOTE: JsonDict = {"value": 1}
FINDING: JsonDict = {"kind": "negative", "body": "Soft labels lose to hard ones.", "cites": []}


def _storable(text: str) -> str:
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds a NUL or a lone surrogate")
    return text


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is true or false, not a number")
    return value


Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1, max_length=80)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Value = Text | StrictBool | StrictInt | FiniteFloat
Id = Annotated[str, Field(pattern=ID_PATTERN)]


class Body(BaseModel):
    """A JSON object without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class CardBody(Body):
    """A method in words; written before any result, and containing none."""

    title: Text = Field(examples=["Naive on confident labels"])
    idea: Text = Field(examples=["Uncertain weak labels are mostly wrong: leave them out."])
    objective: Text = Field(examples=["min over f of CE(f(x), 1[p_w(x) > ½]), x sure"])
    data: Text = Field(examples=["The unlabelled inputs of which the weak supervisor is sure."])
    procedure: Text = Field(examples=["Keep the sure inputs; harden their labels; fit once."])
    hyperparameters: dict[Text, Value] = Field(
        max_length=MAX_HYPERPARAMETERS, examples=[{"margin": 0.1, "epochs": 2, "rate": 1e-3}]
    )
    family: Text = Field(default="other", examples=["data filtering"])


class SubmissionBody(Body):
    """A method as source text, with its card and what it builds on."""

    model_config = ConfigDict(json_schema_extra={"examples": [SUBMISSION]})

    source: str = Field(max_length=MAX_SOURCE_BYTES, examples=["def train(task, rng): ..."])
    card: CardBody
    builds_on: list[Id] = Field(default=[], max_length=MAX_BUILDS_ON)


class PredictionsBody(Body):
    """P(y = 1) for every test input, with the card of what predicted it."""

    model_config = ConfigDict(json_schema_extra={"examples": [PREDICTIONS]})

    predictions: dict[Name, Finite] = Field(examples=[{"9f2c51d0a4b37e86": 0.83}])
    card: CardBody
    builds_on: list[Id] = Field(default=[], max_length=MAX_BUILDS_ON)


class FindingBody(Body):
    """A finding; its author is whoever the token belongs to."""

    model_config = ConfigDict(json_schema_extra={"examples": [FINDING]})

    kind: FindingKind
    body: Text = Field(min_length=1, max_length=MAX_BODY)
    cites: list[Id] = Field(default=[], max_length=MAX_BUILDS_ON)
    parent: Id | None = Field(default=None, description="The finding that it replies to.")


class VoteBody(Body):
    """Whether somebody else's finding is useful (1) or not (−1)."""

    model_config = ConfigDict(json_schema_extra={"examples": [VOTE]})

    value: Annotated[Literal[1, -1], BeforeValidator(_no_truth_value)]
