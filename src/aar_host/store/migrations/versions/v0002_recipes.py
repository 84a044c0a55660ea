"""Predictions keep the whole recipe of their student, not its threshold alone.

A ceiling is matched to a method by that recipe.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the recipe; of earlier predictions only the threshold is known."""
    op.add_column("predictions", sa.Column("recipe", sa.JSON, nullable=False, server_default="{}"))
    op.execute("UPDATE predictions SET recipe = json_object('threshold', threshold)")
    op.drop_column("predictions", "threshold")


def downgrade() -> None:
    """Back to the threshold alone."""
    op.add_column(
        "predictions", sa.Column("threshold", sa.Float, nullable=False, server_default="0.5")
    )
    op.execute("UPDATE predictions SET threshold = json_extract(recipe, '$.threshold')")
    op.drop_column("predictions", "recipe")
