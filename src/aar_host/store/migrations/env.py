"""Runs the migrations inside the transaction of the connection that `open_store` hands over."""

from alembic import context

from aar_host.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
