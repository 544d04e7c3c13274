"""The TLS certificate that a sender of HL7 messages must call with."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("hl7_sender", sa.Column("certificate_sha256", sa.String(), nullable=True))
