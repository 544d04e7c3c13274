"""Storage commitment and instance availability: requests, notifications, where devices listen."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _attempted() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
    ]


def upgrade() -> None:
    """Apply the change."""
    op.add_column("device", sa.Column("listen_host", sa.String(), nullable=True))
    op.add_column("device", sa.Column("listen_port", sa.Integer(), nullable=True))
    op.add_column(
        "destination",
        sa.Column("notify_availability", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "commitment_request",
        *_attempted(),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("calling_ae_title", sa.String(), nullable=False),
        sa.Column("transaction_uid", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("examine_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name="fk_commitment_request_site_id"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name="fk_commitment_request_device_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_commitment_request"),
        sa.UniqueConstraint(
            "device_id", "transaction_uid", name="uq_commitment_request_device_id_transaction_uid"
        ),
    )
    op.create_index("ix_commitment_request_site_id", "commitment_request", ["site_id"])
    op.create_index(
        "ix_commitment_request_due",
        "commitment_request",
        ["next_attempt_at"],
        postgresql_where=sa.text("state IN ('EXAMINING', 'REPORTING')"),
    )
    op.create_table(
        "commitment_reference",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sop_class_uid", sa.String(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column("failure_reason", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"], ["commitment_request.id"], name="fk_commitment_reference_request_id"
        ),
        sa.PrimaryKeyConstraint("request_id", "position", name="pk_commitment_reference"),
    )
    op.create_table(
        "availability_notification",
        *_attempted(),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("destination_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name="fk_availability_notification_study_id"
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"],
            ["destination.id"],
            name="fk_availability_notification_destination_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_availability_notification"),
        sa.UniqueConstraint(
            "study_id",
            "destination_id",
            "generation",
            name="uq_availability_notification_study_id_destination_id_generation",
        ),
    )
    op.create_index(
        "ix_availability_notification_due",
        "availability_notification",
        ["next_attempt_at"],
        postgresql_where=sa.text("told_at IS NULL AND NOT superseded"),
    )
