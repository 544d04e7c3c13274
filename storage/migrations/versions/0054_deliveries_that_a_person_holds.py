"""Deliveries that wait for a person are found without a look at those that arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_index(
        "ix_delivery_held",
        "delivery",
        ["issued_at"],
        postgresql_where=sa.text("state IN ('REFUSED', 'PAUSED')"),
        postgresql_include=["site_id", "destination_id", "state"],
    )
