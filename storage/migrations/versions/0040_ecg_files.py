"""Tokens of machines, and ECG files as they came."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def _time(name: str, *, required: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if required else None
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=default, nullable=not required
    )


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "machine_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        _time("created_at", required=True),
        _time("expires_at"),
        _time("last_used_at"),
        _time("revoked_at"),
        sa.CheckConstraint("name <> ''", name=op.f("ck_machine_token_name")),
        sa.CheckConstraint("length(token_sha256) = 64", name=op.f("ck_machine_token_hash")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_machine_token_device_id"),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_machine_token_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_machine_token"),
        sa.UniqueConstraint("token_sha256", name="uq_machine_token_token_sha256"),
    )
    op.create_index("ix_machine_token_site_id", "machine_token", ["site_id"])
    op.create_table(
        "ecg_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("chosen_patient", postgresql.JSONB(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=True),
        sa.Column("problem", postgresql.JSONB(), nullable=True),
        sa.Column("summary", postgresql.JSONB(), nullable=True),
        sa.Column("study_instance_uid", sa.String(), nullable=True),
        sa.Column("sop_instance_uid", sa.String(), nullable=True),
        _time("received_at", required=True),
        _time("settled_at"),
        _time("purged_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _time("next_attempt_at", required=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        _time("leased_until"),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('FILED', 'DOCUMENT')) = (sop_instance_uid IS NOT NULL)",
            name=op.f("ck_ecg_file_filed"),
        ),
        sa.CheckConstraint(
            "(state IN ('UNREADABLE', 'REFUSED')) = (problem IS NOT NULL)",
            name=op.f("ck_ecg_file_problem"),
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_ecg_file_device_id"),
        sa.ForeignKeyConstraint(["order_id"], ["exam_order.id"], name="fk_ecg_file_order_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_ecg_file_person_id"),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_ecg_file_site_id"),
        sa.ForeignKeyConstraint(["token_id"], ["machine_token.id"], name="fk_ecg_file_token_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ecg_file"),
    )
    op.create_index(
        "uq_ecg_file_content",
        "ecg_file",
        ["site_id", "sha256"],
        unique=True,
        postgresql_where=sa.text("purged_at IS NULL"),
    )
    op.create_index(
        "ix_ecg_file_due",
        "ecg_file",
        ["next_attempt_at"],
        postgresql_where=sa.text("state = 'RECEIVED'"),
    )
    op.create_index("ix_ecg_file_site", "ecg_file", ["site_id", "received_at"])
    op.create_index("ix_ecg_file_study", "ecg_file", ["site_id", "study_instance_uid"])
