"""Proof of what is kept, and how much it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "verification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("options", postgresql.JSONB(), nullable=False),
        sa.Column("last_key", sa.String(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=False),
        sa.Column("derived", sa.BigInteger(), nullable=False),
        sa.Column("recent", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verification"),
    )
    op.create_index("ix_verification_started_at", "verification", ["started_at"])
    op.create_table(
        "verification_finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("holding", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("expected", sa.String(), nullable=False),
        sa.Column("found", sa.String(), nullable=False),
        sa.Column(
            "found_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["verification_id"],
            ["verification.id"],
            name="fk_verification_finding_verification_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_verification_finding"),
    )
    op.create_index(
        "ix_verification_finding_verification_id", "verification_finding", ["verification_id"]
    )
    op.create_table(
        "storage_usage",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("studies", sa.BigInteger(), nullable=False),
        sa.Column("series", sa.BigInteger(), nullable=False),
        sa.Column("instances", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_storage_usage_site_id"),
        sa.PrimaryKeyConstraint("site_id", "modality", "month", name="pk_storage_usage"),
    )
    for table in ("series", "study"):
        op.add_column(
            table, sa.Column("byte_count", sa.BigInteger(), server_default="0", nullable=False)
        )
    op.execute(
        "UPDATE series SET byte_count = counted.bytes FROM (SELECT series_id AS id,"
        " sum(object_size) AS bytes FROM instance GROUP BY 1) counted WHERE counted.id = series.id"
    )
    op.execute(
        "UPDATE study SET byte_count = counted.bytes FROM (SELECT study_id AS id,"
        " sum(object_size) AS bytes FROM instance GROUP BY 1) counted WHERE counted.id = study.id"
    )
    op.add_column("study", sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
