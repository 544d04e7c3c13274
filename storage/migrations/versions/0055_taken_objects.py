"""Which objects of a delivery its destination has taken."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "taken_object",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column(
            "taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_taken_object_delivery_id")
        ),
        sa.PrimaryKeyConstraint(
            "delivery_id", "sop_instance_uid", "taken_at", name=op.f("pk_taken_object")
        ),
    )
