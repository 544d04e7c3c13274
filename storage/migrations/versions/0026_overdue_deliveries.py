"""Until when a site is expected to have its report."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    for name in ("acknowledge_by", "delivery_overdue_at"):
        op.add_column("workitem", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_workitem_acknowledge_by",
        "workitem",
        ["acknowledge_by"],
        unique=False,
        postgresql_where=sa.text("acknowledge_by IS NOT NULL"),
    )
