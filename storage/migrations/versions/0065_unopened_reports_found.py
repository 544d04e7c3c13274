"""An index of the reports that nobody has opened in time."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_index(
        "ix_workitem_unopened_at",
        "workitem",
        ["unopened_at"],
        postgresql_where=sa.text("unopened_at IS NOT NULL"),
    )
