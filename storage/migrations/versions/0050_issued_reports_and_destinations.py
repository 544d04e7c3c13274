"""Issued reports in a neutral form, destinations of every kind, and a queue for each of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

# The pairs of storage.delivery_states at this revision; a test compares the two.
DELIVERY_CHANGES = (
    ("PENDING", "IN_PROGRESS"),
    ("PENDING", "CANCELED"),
    ("PENDING", "PAUSED"),
    ("PENDING", "DELIVERED"),
    ("IN_PROGRESS", "DELIVERED"),
    ("IN_PROGRESS", "PENDING"),
    ("IN_PROGRESS", "REFUSED"),
    ("IN_PROGRESS", "CANCELED"),
    ("IN_PROGRESS", "PAUSED"),
    ("REFUSED", "CANCELED"),
    ("REFUSED", "PENDING"),
    ("REFUSED", "DELIVERED"),
    ("PAUSED", "CANCELED"),
    ("PAUSED", "PENDING"),
    ("PAUSED", "DELIVERED"),
    ("DELIVERED", "PENDING"),
    ("CANCELED", "DELIVERED"),
)
_WAITING = sa.text("state IN ('PENDING', 'IN_PROGRESS')")


def _time(name: str, *, required: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if required else None
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=default, nullable=not required
    )


def upgrade() -> None:
    """Apply the change."""
    _issued_reports()
    _destinations()
    _queues()
    _deliveries()
    _guard()


def _issued_reports() -> None:
    op.create_table(
        "issued_report",
        sa.Column("report_version_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        _time("created_at", required=True),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name="fk_issued_report_study_id"),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_issued_report_site_id"),
        sa.PrimaryKeyConstraint("report_version_id", name="pk_issued_report"),
        sa.UniqueConstraint("number", name="uq_issued_report_number"),
    )
    op.create_index("ix_issued_report_site_id_number", "issued_report", ["site_id", "number"])
    op.create_index("ix_issued_report_workitem_id", "issued_report", ["workitem_id"])
    op.create_index("ix_issued_report_study_id", "issued_report", ["study_id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON issued_report"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER append_only_table BEFORE TRUNCATE ON issued_report"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _destinations() -> None:
    for name in ("name", "ae_title", "host"):
        if name == "name":
            op.add_column(
                "destination", sa.Column(name, sa.String(), server_default="", nullable=False)
            )
        else:
            op.alter_column("destination", name, server_default="")
    op.alter_column("destination", "port", nullable=True)
    op.add_column(
        "destination",
        sa.Column("settings", postgresql.JSONB(), server_default="{}", nullable=False),
    )
    op.drop_constraint(op.f("ck_destination_kind"), "destination")
    op.create_check_constraint(
        op.f("ck_destination_kind"),
        "destination",
        "kind IN ('dicom', 'hl7', 'fhir', 'webhook', 'notice')",
    )
    op.create_check_constraint(
        op.f("ck_destination_dicom"),
        "destination",
        "(kind = 'dicom') = (port IS NOT NULL) AND (kind = 'dicom') = (ae_title <> '')",
    )


def _queues() -> None:
    op.create_table(
        "delivery_queue",
        sa.Column("destination_id", sa.Uuid(), nullable=False),
        _time("next_attempt_at", required=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        _time("failing_since"),
        sa.Column("last_error", sa.String(), nullable=True),
        _time("last_success_at"),
        _time("served_at"),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        _time("leased_until"),
        _time("paused_at"),
        sa.Column("paused_by", sa.Uuid(), nullable=True),
        sa.Column("pause_reason", sa.String(), nullable=True),
        _time("told_at"),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name="fk_delivery_queue_destination_id"
        ),
        sa.ForeignKeyConstraint(["paused_by"], ["person.id"], name="fk_delivery_queue_paused_by"),
        sa.PrimaryKeyConstraint("destination_id", name="pk_delivery_queue"),
    )
    op.execute("INSERT INTO delivery_queue (destination_id) SELECT id FROM destination")
    op.create_table(
        "delivery_policy",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("silent_minutes", sa.Integer(), nullable=True),
        sa.Column("unopened_minutes", sa.Integer(), nullable=True),
        sa.Column("unopened_stat_minutes", sa.Integer(), nullable=True),
        sa.Column("always_open", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "silent_minutes > 0 AND unopened_minutes > 0 AND unopened_stat_minutes > 0",
            name=op.f("ck_delivery_policy_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_delivery_policy_organisation_id"
        ),
        sa.PrimaryKeyConstraint("organisation_id", name="pk_delivery_policy"),
    )


def _deliveries() -> None:
    op.add_column(
        "delivery",
        sa.Column("is_notice", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    for column in (
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        _time("decided_at"),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("redirected_from", sa.Uuid(), nullable=True),
    ):
        op.add_column("delivery", column)
    op.create_foreign_key("fk_delivery_decided_by", "delivery", "person", ["decided_by"], ["id"])
    op.create_foreign_key(
        "fk_delivery_redirected_from", "delivery", "delivery", ["redirected_from"], ["id"]
    )
    op.execute(
        "UPDATE delivery SET is_notice = true"
        " WHERE report_version_id IN (SELECT id FROM report_revocation)"
    )
    op.create_check_constraint(
        op.f("ck_delivery_state"),
        "delivery",
        "state IN ('PENDING', 'IN_PROGRESS', 'DELIVERED', 'REFUSED', 'PAUSED', 'CANCELED')",
    )
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["destination_id", "attempts", "issued_at"],
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_delivery_destination_id_created_at", "delivery", ["destination_id", "created_at"]
    )
    op.create_index("ix_delivery_study_id", "delivery", ["study_id"])
    for name in ("outcome", "request", "response"):
        op.add_column("delivery_attempt", sa.Column(name, sa.String(), nullable=True))


def _guard() -> None:
    op.create_table(
        "delivery_transition",
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("from_state", "to_state", name="pk_delivery_transition"),
    )
    op.bulk_insert(
        sa.table("delivery_transition", sa.column("from_state"), sa.column("to_state")),
        [{"from_state": before, "to_state": after} for before, after in DELIVERY_CHANGES],
    )
    op.execute("""
        CREATE FUNCTION guard_delivery_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'PENDING' THEN
                    RAISE EXCEPTION 'a delivery begins PENDING, not %', NEW.state USING ERRCODE =
                    'check_violation';
                END IF;
            ELSIF OLD.state <> NEW.state AND NOT EXISTS (
                SELECT FROM delivery_transition WHERE from_state = OLD.state AND to_state =
                NEW.state
            ) THEN
                RAISE EXCEPTION 'a delivery does not go from % to %', OLD.state, NEW.state USING
                ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_state BEFORE INSERT OR UPDATE OF state ON delivery"
        " FOR EACH ROW EXECUTE FUNCTION guard_delivery_state()"
    )
