"""Indexes of what waits for one group, and of reports that are being replaced."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# As reading_worklist.workitems.routed.WAITING was at this revision.
WAITING = (
    "state IN ('QUEUED', 'CLAIMED', 'WRITTEN', 'REVIEWING', 'RETURNED', 'PRELIM_ISSUED', 'HELD')"
)


def upgrade() -> None:
    """Apply the change."""
    op.create_index(
        "ix_workitem_queue_group",
        "workitem",
        ["group_id", "state"],
        postgresql_where=sa.text(WAITING),
        postgresql_include=["site_id", "lane"],
    )
    op.create_index(
        "ix_workitem_amending", "workitem", ["due_at"], postgresql_where=sa.text("amending")
    )
