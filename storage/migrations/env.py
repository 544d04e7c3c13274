"""Alembic's entry: runs the migrations on the connection that holds the migration lock."""

from alembic import context

from storage.database import Base

connection = context.config.attributes.get("connection")
if connection is None:
    message = "migrations run through 'rdc migrate' or 'rdc up', which hold the migration lock"
    raise RuntimeError(message)
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
