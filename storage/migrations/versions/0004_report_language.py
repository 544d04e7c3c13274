"""The language in which a report's document was rendered and signed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "report_submission",
        sa.Column("language", sa.String(), server_default="zh-CN", nullable=False),
    )
