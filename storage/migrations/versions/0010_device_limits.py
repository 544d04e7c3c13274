"""What a device may take up at the gateway, and the certificate it must call with."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("device", sa.Column("certificate_sha256", sa.String(), nullable=True))
    op.add_column(
        "device",
        sa.Column("max_associations", sa.Integer(), server_default="16", nullable=False),
    )
    op.add_column(
        "device",
        sa.Column(
            "max_instance_bytes", sa.BigInteger(), server_default="8589934592", nullable=False
        ),
    )
    op.add_column("device", sa.Column("max_bytes_per_second", sa.BigInteger(), nullable=True))
    op.add_column("device", sa.Column("idle_seconds", sa.Integer(), nullable=True))
