"""The tables as SQLAlchemy sees them. What creates them is `migrations/`; a test compares both.

Times are seconds since 1970 (UTC) as float64. `ledger`, `scores` and `methods` are append-only:
triggers refuse any other statement.

- campaigns.ran: seconds that the search has run, without the time in which nothing served it
- submissions.content: digest of the source or of the predictions that were handed in
- submissions.answers_as: the earlier submission whose answer a near-duplicate is given
- findings.content: digest of all that the author wrote, so that posting it again is no new finding
- openings.data: digest of test items whose sealed part has been opened
- model_calls.dollars, tokens: reserved while the call runs, used once it has ended
- model_calls.request: digest of what was asked; the text is in the transcript
- reviews.verdict: what a monitor said of a method's source and card before it was trained
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from aar_lab.types import FindingKind, JobStatus, Role


class Tier(StrEnum):
    """Which part of the test items a job predicts: answered to researchers, or opened once."""

    PUBLIC = "public"
    SEALED = "sealed"


class SubmissionKind(StrEnum):
    """What was handed in: source text that the host trains, or one probability for each id."""

    METHOD = "method"
    PREDICTIONS = "predictions"


class CallStatus(StrEnum):
    """How a call of a language model stands; all but the first are final."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"
    LOST = "lost"


class ReviewVerdict(StrEnum):
    """What a monitor says of a source: let it be trained, or not."""

    PASS = "pass"
    FAIL = "fail"


class CampaignState(StrEnum):
    """How far a campaign is; only `OPEN` takes submissions."""

    OPEN = "open"
    FROZEN = "frozen"
    OPENED = "opened"
    CLOSED = "closed"


def _names(kind: type[StrEnum]) -> Enum:
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda members: [member.value for member in members],
        validate_strings=True,
    )


metadata = MetaData()

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("problem", String(80), nullable=False),
    Column("version", String(80), nullable=False),
    Column("data_digest", String(64), nullable=False),
    Column("policy", String(80), nullable=False),
    Column("anchors_version", String(80), nullable=False),
    Column("config", JSON, nullable=False),
    Column("state", _names(CampaignState), nullable=False),
    Column("charged", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("ran", Float, nullable=False),
)

actors = Table(
    "actors",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("campaign", ForeignKey("campaigns.id"), nullable=False),
    Column("name", String(80), nullable=False),
    Column("role", _names(Role), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("expires", Float, nullable=False),
    Column("revoked", Boolean, nullable=False),
    UniqueConstraint("campaign", "name"),
)

methods = Table(
    "methods",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("source", Text, nullable=False),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("campaign", ForeignKey("campaigns.id"), nullable=False),
    Column("actor", ForeignKey("actors.id"), nullable=False),
    Column("kind", _names(SubmissionKind), nullable=False),
    Column("content", String(64), nullable=False),
    Column("method_digest", ForeignKey("methods.digest")),
    Column("answers_as", ForeignKey("submissions.id")),
    Column("card", JSON, nullable=False),
    Column("builds_on", JSON, nullable=False),
    Column("status", _names(JobStatus), nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("created", Float, nullable=False),
    Column("finished", Float),
    UniqueConstraint("campaign", "method_digest"),
    Index("submissions_by_actor", "campaign", "actor", "created"),
    Index("submissions_by_content", "content"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("campaign", ForeignKey("campaigns.id"), nullable=False),
    Column("submission", ForeignKey("submissions.id"), nullable=False),
    Column("tier", _names(Tier), nullable=False),
    Column("seed_index", Integer, nullable=False),
    Column("status", _names(JobStatus), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("queued", Float, nullable=False),
    Column("worker", String(80)),
    Column("leased_until", Float),
    Column("started", Float),
    Column("finished", Float),
    Column("seconds", JSON(none_as_null=True)),
    Column("log", Text, nullable=False),
    Column("error", JSON(none_as_null=True)),
    UniqueConstraint("submission", "tier", "seed_index"),
    Index("jobs_by_status", "status", "queued", "seed_index"),
)

predictions = Table(
    "predictions",
    metadata,
    Column("submission", ForeignKey("submissions.id"), primary_key=True),
    Column("tier", _names(Tier), primary_key=True),
    Column("seed_index", Integer, primary_key=True, autoincrement=False),
    Column("ids_digest", String(64), nullable=False),
    Column("probs", LargeBinary, nullable=False),
    Column("recipe", JSON, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    Column("submission", ForeignKey("submissions.id"), primary_key=True),
    Column("tier", _names(Tier), primary_key=True),
    Column("body", JSON, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("campaign", ForeignKey("campaigns.id"), nullable=False),
    Column("actor", ForeignKey("actors.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", _names(FindingKind), nullable=False),
    Column("body", Text, nullable=False),
    Column("cites", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("parent", ForeignKey("findings.id")),
    Column("content", String(64)),
    UniqueConstraint("actor", "content"),
    Index("findings_by_seq", "campaign", "seq"),
)

votes = Table(
    "votes",
    metadata,
    Column("finding", ForeignKey("findings.id"), primary_key=True),
    Column("actor", ForeignKey("actors.id"), primary_key=True),
    Column("value", Integer, nullable=False),
)

openings = Table(
    "openings",
    metadata,
    Column("data", String(64), primary_key=True),
    Column("campaign", ForeignKey("campaigns.id"), nullable=False),
    Column("time", Float, nullable=False),
)

model_calls = Table(
    "model_calls",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("campaign", ForeignKey("campaigns.id"), nullable=False),
    Column("actor", ForeignKey("actors.id"), nullable=False),
    Column("model", String(120), nullable=False),
    Column("request", String(64), nullable=False),
    Column("status", _names(CallStatus), nullable=False),
    Column("dollars", Float, nullable=False),
    Column("tokens", Float, nullable=False),
    Column("usage", JSON, nullable=False),
    Column("started", Float, nullable=False),
    Column("seconds", Float),
    Index("model_calls_by_actor", "campaign", "actor"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("campaign", ForeignKey("campaigns.id"), primary_key=True),
    Column("method_digest", ForeignKey("methods.digest"), primary_key=True),
    Column("verdict", _names(ReviewVerdict), nullable=False),
    Column("body", JSON, nullable=False),
    Column("created", Float, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("time", Float, nullable=False),
    Column("campaign", String(12), nullable=False),
    Column("actor", String(12)),
    Column("kind", String(40), nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ledger_by_campaign", "campaign", "seq"),
)

APPEND_ONLY = (ledger, scores, methods)
