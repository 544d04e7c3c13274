"""Observations are found by their own codes, not by those of their report."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "issued_resource",
        sa.Column("terms", postgresql.ARRAY(sa.String()), server_default="{}", nullable=False),
    )
