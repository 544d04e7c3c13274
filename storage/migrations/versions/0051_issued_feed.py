"""What was issued to a site in one order, and under which FHIR ids it is found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "issued_feed",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_issued_feed_site_id"),
        sa.PrimaryKeyConstraint("site_id", name="pk_issued_feed"),
    )
    op.create_table(
        "issued_feed_entry",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report_version_id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("performed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terms", postgresql.ARRAY(sa.String()), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name="fk_issued_feed_entry_site_id"
        ),
        sa.ForeignKeyConstraint(
            ["report_version_id"],
            ["issued_report.report_version_id"],
            name="fk_issued_feed_entry_report_version_id",
        ),
        sa.PrimaryKeyConstraint("site_id", "position", name="pk_issued_feed_entry"),
        sa.UniqueConstraint("report_version_id", name="uq_issued_feed_entry_report_version_id"),
    )
    op.create_index(
        "ix_issued_feed_entry_workitem_id", "issued_feed_entry", ["workitem_id", "position"]
    )
    op.create_index(
        "ix_issued_feed_entry_patient_id",
        "issued_feed_entry",
        ["site_id", "patient_id", "position"],
    )
    op.create_index(
        "ix_issued_feed_entry_terms", "issued_feed_entry", ["terms"], postgresql_using="gin"
    )
    op.create_table(
        "issued_resource",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name="fk_issued_resource_site_id"
        ),
        sa.PrimaryKeyConstraint("site_id", "kind", "resource_id", name="pk_issued_resource"),
    )
    op.create_index(
        "ix_issued_resource_position", "issued_resource", ["site_id", "kind", "position"]
    )
