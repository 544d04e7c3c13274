"""Until when a report is expected to be opened, and when it was found that nobody had."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    for name in ("open_by", "unopened_at"):
        op.add_column("workitem", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_workitem_open_by",
        "workitem",
        ["open_by"],
        postgresql_where=sa.text("open_by IS NOT NULL"),
    )
