"""Preliminary reports without a final one are found by when that is due."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_index(
        "ix_workitem_preliminary",
        "workitem",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("preliminary_at IS NOT NULL AND finalised_at IS NULL"),
    )
