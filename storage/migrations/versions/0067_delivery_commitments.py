"""Storage commitment asked of the machines that took a report."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "delivery_commitment",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("objects", JSONB(), nullable=False),
        sa.Column("transaction_uid", sa.String(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing", JSONB(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_commitment_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_delivery_commitment_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_commitment")),
        sa.UniqueConstraint("transaction_uid", name=op.f("uq_delivery_commitment_transaction_uid")),
    )
    op.create_index(
        op.f("ix_delivery_commitment_delivery_id"), "delivery_commitment", ["delivery_id"]
    )
    op.create_index(op.f("ix_delivery_commitment_site_id"), "delivery_commitment", ["site_id"])
    op.create_index(
        "ix_delivery_commitment_due",
        "delivery_commitment",
        ["next_attempt_at"],
        postgresql_where=sa.text("state IN ('ASKING', 'WAITING')"),
    )
