"""Who has claimed a workitem through UPS-RS."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "step_transaction",
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_uid", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_step_transaction_person_id"),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name="fk_step_transaction_workitem_id"
        ),
        sa.PrimaryKeyConstraint("workitem_id", name="pk_step_transaction"),
    )
