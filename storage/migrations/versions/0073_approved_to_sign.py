"""Who was approved to make a signing key of his own."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "signing_approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=False),
        sa.Column("approved_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.Column("withdrawn_at", _TIME, nullable=True),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_signing_approval_{column}")
            )
            for column, table in (
                ("person_id", "person"),
                ("organisation_id", "organisation"),
                ("approved_by_id", "person"),
                ("credential_id", "signing_credential"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_approval")),
    )
    op.create_index(op.f("ix_signing_approval_person_id"), "signing_approval", ["person_id"])
    op.create_index(
        "uq_signing_approval_open",
        "signing_approval",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("used_at IS NULL AND withdrawn_at IS NULL"),
    )
