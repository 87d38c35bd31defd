"""Alembic's entry: runs the steps on a connection that was handed over, inside its transaction."""

from alembic import context

from cti.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
