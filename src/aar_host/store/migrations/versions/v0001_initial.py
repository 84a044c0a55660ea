"""The first schema.

A migration is frozen history: it repeats the tables instead of importing `schema`, which moves on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("ledger", "scores", "methods")


def upgrade() -> None:
    """Create every table and the triggers that make some of them append-only."""
    _identity()
    _work()
    _jobs()
    _results()
    _record()
    if op.get_context().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


def downgrade() -> None:
    """Going back would destroy records."""
    raise NotImplementedError("the first schema cannot be undone: restore a backup instead")


def _sqlite_triggers() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _postgresql_triggers() -> None:
    op.execute(
        "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
            )


def _identity() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("problem", sa.String(80), nullable=False),
        sa.Column("version", sa.String(80), nullable=False),
        sa.Column("data_digest", sa.String(64), nullable=False),
        sa.Column("policy", sa.String(80), nullable=False),
        sa.Column("anchors_version", sa.String(80), nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("charged", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "actors",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("campaign", sa.String(12), sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.UniqueConstraint("campaign", "name"),
    )


def _work() -> None:
    op.create_table(
        "methods",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("campaign", sa.String(12), sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("actor", sa.String(12), sa.ForeignKey("actors.id"), nullable=False),
        sa.Column("method_digest", sa.String(64), sa.ForeignKey("methods.digest"), nullable=False),
        sa.Column("card", sa.JSON, nullable=False),
        sa.Column("builds_on", sa.JSON, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("error", sa.JSON),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("finished", sa.Float),
        sa.UniqueConstraint("campaign", "method_digest"),
    )
    op.create_index("submissions_by_actor", "submissions", ["campaign", "actor", "created"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("campaign", sa.String(12), sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("submission", sa.String(12), sa.ForeignKey("submissions.id"), nullable=False),
        sa.Column("tier", sa.String(20), nullable=False),
        sa.Column("seed_index", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("queued", sa.Float, nullable=False),
        sa.Column("worker", sa.String(80)),
        sa.Column("leased_until", sa.Float),
        sa.Column("started", sa.Float),
        sa.Column("finished", sa.Float),
        sa.Column("seconds", sa.JSON),
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("error", sa.JSON),
        sa.UniqueConstraint("submission", "tier", "seed_index"),
    )
    op.create_index("jobs_by_status", "jobs", ["status", "queued", "seed_index"])


def _results() -> None:
    op.create_table(
        "predictions",
        sa.Column("submission", sa.String(12), sa.ForeignKey("submissions.id"), primary_key=True),
        sa.Column("tier", sa.String(20), primary_key=True),
        sa.Column("seed_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ids_digest", sa.String(64), nullable=False),
        sa.Column("probs", sa.LargeBinary, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
    )
    op.create_table(
        "scores",
        sa.Column("submission", sa.String(12), sa.ForeignKey("submissions.id"), primary_key=True),
        sa.Column("tier", sa.String(20), primary_key=True),
        sa.Column("body", sa.JSON, nullable=False),
    )


def _record() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("campaign", sa.String(12), sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("actor", sa.String(12), sa.ForeignKey("actors.id"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("cites", sa.JSON, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_index("findings_by_seq", "findings", ["campaign", "seq"])
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("campaign", sa.String(12), nullable=False),
        sa.Column("actor", sa.String(12)),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ledger_by_campaign", "ledger", ["campaign", "seq"])
