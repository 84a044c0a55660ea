"""Calls of language models with what they cost, and reviews of sources before they are trained."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "model_calls",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("campaign", sa.String(12), sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("actor", sa.String(12), sa.ForeignKey("actors.id"), nullable=False),
        sa.Column("model", sa.String(120), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("dollars", sa.Float, nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("usage", sa.JSON, nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("seconds", sa.Float),
    )
    op.create_index("model_calls_by_actor", "model_calls", ["campaign", "actor"])
    op.create_table(
        "reviews",
        sa.Column("campaign", sa.String(12), sa.ForeignKey("campaigns.id"), primary_key=True),
        sa.Column(
            "method_digest", sa.String(64), sa.ForeignKey("methods.digest"), primary_key=True
        ),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Going back would destroy records."""
    raise NotImplementedError("this schema cannot be undone: restore a backup instead")
