"""Who acknowledges a recall, whom the clock tells when nobody does, and who pulled a report."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    _create_pulls()
    _widen_recipients()
    op.create_table(
        "recall_escalation",
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_name", sa.String(), nullable=True),
        sa.Column("contact_phone", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recall_recipient.id"], name="fk_recall_escalation_recipient_id"
        ),
        sa.PrimaryKeyConstraint("recipient_id", "step", name="pk_recall_escalation"),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON recall_escalation"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    # What is stuck is found by indexes that hold nothing else.
    op.create_index(
        "ix_exam_order_awaited",
        "exam_order",
        ["requested_at"],
        postgresql_where=sa.text("state IN ('REQUESTED', 'CHECKED_IN', 'ACQUIRED')"),
        postgresql_include=["site_id", "state"],
    )
    op.create_index(
        "ix_exam_order_missing",
        "exam_order",
        ["site_id"],
        postgresql_where=sa.text("missing_instances > 0"),
    )
    op.create_index(
        "ix_workitem_escalated",
        "workitem",
        ["escalated_at"],
        postgresql_where=sa.text("state = 'QUEUED' AND escalated_at IS NOT NULL"),
        postgresql_include=["site_id"],
    )
    op.create_index(
        "ix_workitem_not_received",
        "workitem",
        ["delivery_overdue_at"],
        postgresql_where=sa.text(
            "delivery_overdue_at IS NOT NULL AND delivered_at IS NULL AND opened_at IS NULL"
        ),
        postgresql_include=["site_id"],
    )


def _create_pulls() -> None:
    op.create_table(
        "report_pull",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_version_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("machine <> ''", name=op.f("ck_report_pull_machine")),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_report_pull_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_report_pull"),
        sa.UniqueConstraint(
            "report_version_id",
            "channel",
            "machine",
            name="uq_report_pull_report_version_id_channel_machine",
        ),
    )
    op.create_index("ix_report_pull_site_id_last_at", "report_pull", ["site_id", "last_at"])


def _widen_recipients() -> None:
    table = "recall_recipient"
    for column in (
        sa.Column("machine", sa.String(), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_for", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_name", sa.String(), nullable=True),
        sa.Column("acknowledged_role", sa.String(), nullable=True),
        sa.Column("level", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column(table, column)
    op.create_foreign_key(
        "fk_recall_recipient_acknowledged_by", table, "person", ["acknowledged_by"], ["id"]
    )
    op.create_foreign_key(
        "fk_recall_recipient_acknowledged_for", table, "organisation", ["acknowledged_for"], ["id"]
    )
    op.create_unique_constraint(
        "uq_recall_recipient_report_version_id_machine", table, ["report_version_id", "machine"]
    )
    op.drop_constraint(op.f("ck_recall_recipient_who"), table)
    op.create_check_constraint(
        op.f("ck_recall_recipient_who"),
        table,
        "num_nonnulls(destination_id, person_id, machine) = 1",
    )
    op.create_check_constraint(
        op.f("ck_recall_recipient_acknowledged"),
        table,
        "acknowledged_by IS NULL OR (told_at IS NOT NULL"
        " AND acknowledged_name <> '' AND acknowledged_role <> '')",
    )
    op.create_check_constraint(
        op.f("ck_recall_recipient_clock"), table, "told_at IS NULL OR next_at IS NULL"
    )
    op.create_index(
        "ix_recall_recipient_next_at",
        table,
        ["next_at"],
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(
        "ix_recall_recipient_untold",
        table,
        ["report_version_id"],
        postgresql_where=sa.text("told_at IS NULL"),
    )
    # Who has waited until now is told of from now on.
    op.execute("UPDATE recall_recipient SET next_at = now() WHERE told_at IS NULL")
