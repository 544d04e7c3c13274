"""The migrations of the centre's one database; Alembic runs them in order."""
