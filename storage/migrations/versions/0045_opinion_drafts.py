"""An opinion that is being written is kept on the server."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "consultation",
        sa.Column("opinion_draft", sa.String(), server_default="", nullable=False),
    )
    op.add_column(
        "consultation",
        sa.Column("draft_revision", sa.Integer(), server_default="0", nullable=False),
    )
