"""Submissions of predictions, threads and votes, openings of sealed data, time that was served."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add tables and columns; what there is are submissions of methods."""
    op.add_column("campaigns", sa.Column("ran", sa.Float, nullable=False, server_default="0"))
    _submissions()
    with op.batch_alter_table("findings") as table:
        table.add_column(sa.Column("parent", sa.String(12)))
        table.add_column(sa.Column("content", sa.String(64)))
        table.create_foreign_key("findings_parent", "findings", ["parent"], ["id"])
        table.create_unique_constraint("findings_content", ["actor", "content"])
    op.create_table(
        "votes",
        sa.Column("finding", sa.String(12), sa.ForeignKey("findings.id"), primary_key=True),
        sa.Column("actor", sa.String(12), sa.ForeignKey("actors.id"), primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
    op.create_table(
        "openings",
        sa.Column("data", sa.String(64), primary_key=True),
        sa.Column("campaign", sa.String(12), sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("time", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Going back would destroy records."""
    raise NotImplementedError("this schema cannot be undone: restore a backup instead")


def _submissions() -> None:
    with op.batch_alter_table("submissions") as table:
        kind = sa.Column("kind", sa.String(20), nullable=False, server_default="method")
        table.add_column(kind)
        table.add_column(sa.Column("content", sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("answers_as", sa.String(12)))
        table.create_foreign_key("submissions_answers_as", "submissions", ["answers_as"], ["id"])
        table.alter_column("method_digest", existing_type=sa.String(64), nullable=True)
    op.execute("UPDATE submissions SET content = method_digest")
    op.create_index("submissions_by_content", "submissions", ["content"])
