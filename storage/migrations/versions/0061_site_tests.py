"""Tests of a site's connection that somebody asked for, and what they found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "site_test",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column(
            "asked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_site_test_asked_by")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_site_test_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_test")),
    )
    op.create_index(
        "ix_site_test_due",
        "site_test",
        ["next_attempt_at"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_site_test_site_id_asked_at", "site_test", ["site_id", "asked_at"])
