"""Branches of organisations and devices, marks of mutual recognition, comparisons in words."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    for table, columns in (
        ("organisation", ("branch", "branch_en")),
        ("device", ("branch", "branch_en")),
        ("report_draft", ("comparison",)),
        ("report_submission", ("comparison",)),
    ):
        for name in columns:
            op.add_column(table, sa.Column(name, sa.String(), server_default="", nullable=False))
    op.create_table(
        "recognition_mark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from",
            name=op.f("ck_recognition_mark_days"),
        ),
        sa.CheckConstraint("mark <> '' AND basis <> ''", name=op.f("ck_recognition_mark_words")),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["organisation.id"],
            name=op.f("fk_recognition_mark_site_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recognition_mark")),
    )
    op.create_index(
        "ix_recognition_mark_site_id_modality", "recognition_mark", ["site_id", "modality"]
    )
