"""What of the worklist a subscription is for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("step_subscription", sa.Column("matching", postgresql.JSONB(), nullable=True))
    op.create_check_constraint(
        op.f("ck_step_subscription_matching"),
        "step_subscription",
        "(target = '1.2.840.10008.5.1.4.34.5.1') = (matching IS NOT NULL)",
    )
