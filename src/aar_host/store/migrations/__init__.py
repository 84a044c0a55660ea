"""Alembic migrations: the only thing that ever changes the schema."""
