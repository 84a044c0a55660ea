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
    sqlite = op.get_context().dialect.name == "sqlite"
    build = "json_object" if sqlite else "json_build_object"
    op.execute(f"UPDATE predictions SET recipe = {build}('threshold', threshold)")
    op.drop_column("predictions", "threshold")


def downgrade() -> None:
    """Back to the threshold alone."""
    op.add_column(
        "predictions", sa.Column("threshold", sa.Float, nullable=False, server_default="0.5")
    )
    sqlite = op.get_context().dialect.name == "sqlite"
    read = "json_extract(recipe, '$.threshold')" if sqlite else "(recipe->>'threshold')::float8"
    op.execute(f"UPDATE predictions SET threshold = {read}")
    op.drop_column("predictions", "recipe")
