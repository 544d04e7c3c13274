"""Contrast, why an exam is urgent and since when, and the keys under which its patient is found."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    for name in ("contrast", "priority_reason"):
        op.add_column("exam_order", sa.Column(name, sa.String(), nullable=True))
    op.add_column(
        "exam_order", sa.Column("first_contact_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "exam_order",
        sa.Column("name_keys", sa.ARRAY(sa.String()), server_default="{}", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_exam_order_first_contact"),
        "exam_order",
        "first_contact_at IS NULL OR priority_reason = 'chest_pain'",
    )
