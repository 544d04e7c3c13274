"""Who made a machine's token, whose successor it is, and certificates in its place."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "machine_token", sa.Column("proof", sa.String(), server_default="bearer", nullable=False)
    )
    op.add_column("machine_token", sa.Column("certificate_sha256", sa.String(), nullable=True))
    op.add_column("machine_token", sa.Column("made_by_id", sa.Uuid(), nullable=True))
    op.add_column("machine_token", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.add_column(
        "machine_token", sa.Column("revoked_reason", sa.String(), server_default="", nullable=False)
    )
    op.alter_column("machine_token", "token_sha256", nullable=True)
    op.create_foreign_key(
        op.f("fk_machine_token_made_by_id"), "machine_token", "person", ["made_by_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_machine_token_replaces_id"),
        "machine_token",
        "machine_token",
        ["replaces_id"],
        ["id"],
    )
    op.create_check_constraint(
        op.f("ck_machine_token_proof"),
        "machine_token",
        "(token_sha256 IS NULL) = (proof = 'certificate')",
    )
    op.create_check_constraint(
        op.f("ck_machine_token_certificate"),
        "machine_token",
        "proof = 'bearer' OR certificate_sha256 IS NOT NULL OR device_id IS NOT NULL",
    )
