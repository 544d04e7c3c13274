"""Who wants to know of changes through UPS-RS."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "step_subscription",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("ae_title", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column(
            "subscribed_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_step_subscription_person_id"
        ),
        sa.PrimaryKeyConstraint("person_id", "ae_title", "target", name="pk_step_subscription"),
    )
