"""Working time: days that a person enters, and the hours of a working day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "calendar_day",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column(
            "set_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_calendar_day_organisation_id"
        ),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name="fk_calendar_day_set_by"),
        sa.PrimaryKeyConstraint("organisation_id", "day", name="pk_calendar_day"),
    )
    op.create_table(
        "working_hours",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("periods", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column(
            "set_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_working_hours_organisation_id"
        ),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name="fk_working_hours_set_by"),
        sa.PrimaryKeyConstraint("organisation_id", name="pk_working_hours"),
    )
