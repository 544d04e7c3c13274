"""A report is found by its file, for those who ask whether the file they have is one."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_index("ix_report_version_pdf_sha256", "report_version", ["pdf_sha256"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_report_version_pdf_sha256", "report_version")
