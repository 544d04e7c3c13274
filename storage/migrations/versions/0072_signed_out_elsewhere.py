"""Which session of a provider ours came from, and what it told of sign-outs there."""

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the change."""
    op.add_column("web_session", sa.Column("provider_sid", sa.String(), nullable=True))
    op.create_table(
        "outside_logout",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("jti_sha256", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("sid", sa.String(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("received_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "jti_sha256", name=op.f("pk_outside_logout")),
    )
    op.create_index(op.f("ix_outside_logout_received_at"), "outside_logout", ["received_at"])
