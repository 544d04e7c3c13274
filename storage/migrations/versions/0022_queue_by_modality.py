"""A workitem carries its study's modalities, so that the queue's indexes narrow it by them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

WAITING = (
    "state IN ('QUEUED', 'CLAIMED', 'WRITTEN', 'REVIEWING', 'RETURNED', 'PRELIM_ISSUED', 'HELD')"
)
SHOWN = [
    "site_id",
    "lane",
    "state",
    "group_id",
    "assignee_id",
    "holder_id",
    "queued_at",
    "study_id",
    "modalities",
]


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "workitem",
        sa.Column(
            "modalities",
            sa.ARRAY(sa.String()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.execute(
        "UPDATE workitem SET modalities = study.modalities FROM study"
        " WHERE study.id = workitem.study_id"
    )
    for name in ("ix_workitem_queue", "ix_workitem_queue_due"):
        op.drop_index(name, table_name="workitem")
    for name, columns in (
        ("ix_workitem_queue", ["urgency", "due_at", "id"]),
        ("ix_workitem_queue_due", ["due_at", "id"]),
        ("ix_workitem_queue_since", ["queued_at", "id"]),
    ):
        op.create_index(
            name,
            "workitem",
            columns,
            postgresql_where=sa.text(WAITING),
            postgresql_include=[one for one in SHOWN if one not in columns],
        )
