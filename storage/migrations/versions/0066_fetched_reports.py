"""When a machine that fetched a report has said that it has it."""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("report_pull", sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
    # What was handed out so far counted as taken.
    op.execute("UPDATE report_pull SET taken_at = first_at")
