"""A session keeps what its browser calls itself."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "web_session", sa.Column("user_agent", sa.String(), server_default="", nullable=False)
    )
