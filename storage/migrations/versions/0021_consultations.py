"""Consultations with their experts, and retakes."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# The pairs of the states of both rooms at this revision; tests compare them.
CONSULTATION_CHANGES = (
    ("APPLIED", "ACCEPTED"),
    ("APPLIED", "DECLINED"),
    ("ACCEPTED", "SCHEDULED"),
    ("SCHEDULED", "OPINION_SIGNED"),
    ("OPINION_SIGNED", "ARCHIVED"),
    ("ARCHIVED", "RATED"),
)
RETAKE_CHANGES = (
    ("REQUESTED", "ACKNOWLEDGED"),
    ("REQUESTED", "DECLINED"),
    ("REQUESTED", "RECEIVED"),
    ("REQUESTED", "CANCELLED"),
    ("ACKNOWLEDGED", "DECLINED"),
    ("ACKNOWLEDGED", "RECEIVED"),
    ("ACKNOWLEDGED", "CANCELLED"),
    ("RECEIVED", "CLOSED"),
)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "consultation_transition",
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("from_state", "to_state", name=op.f("pk_consultation_transition")),
    )
    op.create_table(
        "retake_transition",
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("from_state", "to_state", name=op.f("pk_retake_transition")),
    )
    op.create_table(
        "practitioner",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("specialty", sa.String(), nullable=False),
        sa.Column("licence_number", sa.String(), nullable=False),
        sa.Column("practising_since", sa.Date(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_practitioner_person_id")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_practitioner_set_by")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_practitioner")),
    )
    op.create_table(
        "consultation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("specialty", sa.String(), nullable=False),
        sa.Column("consent_basis", sa.String(), nullable=False),
        sa.Column("consent_note", sa.String(), nullable=False),
        sa.Column("applied_by", sa.Uuid(), nullable=False),
        sa.Column("applied_for", sa.Uuid(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("invitee_id", sa.Uuid(), nullable=False),
        sa.Column("invitee_practising_since", sa.Date(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decline_reason", sa.String(), nullable=True),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opinion", sa.String(), nullable=True),
        sa.Column("opinion_content", sa.String(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rating_comment", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'RATED') = (rating IS NOT NULL)", name=op.f("ck_consultation_rated")
        ),
        sa.CheckConstraint(
            "(state IN ('OPINION_SIGNED', 'ARCHIVED', 'RATED')) = (signature IS NOT NULL) AND"
            " (signature IS NULL) = (opinion_content IS NULL)",
            name=op.f("ck_consultation_signed"),
        ),
        sa.CheckConstraint("consent_note <> ''", name=op.f("ck_consultation_consent")),
        sa.CheckConstraint(
            "invitee_practising_since <= (applied_at AT TIME ZONE 'UTC')::date - interval '3"
            " years'",
            name=op.f("ck_consultation_practice"),
        ),
        sa.CheckConstraint(
            "state <> 'DECLINED' OR decline_reason <> ''", name=op.f("ck_consultation_declined")
        ),
        sa.CheckConstraint("invitee_id <> applied_by", name=op.f("ck_consultation_other_person")),
        sa.CheckConstraint(
            "rating IS NULL OR rating BETWEEN 1 AND 5", name=op.f("ck_consultation_rating")
        ),
        sa.ForeignKeyConstraint(
            ["applied_by"], ["person.id"], name=op.f("fk_consultation_applied_by")
        ),
        sa.ForeignKeyConstraint(
            ["applied_for"], ["organisation.id"], name=op.f("fk_consultation_applied_for")
        ),
        sa.ForeignKeyConstraint(
            ["invitee_id"], ["person.id"], name=op.f("fk_consultation_invitee_id")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_consultation_site_id")
        ),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name=op.f("fk_consultation_workitem_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation")),
    )
    op.create_index(
        "ix_consultation_due",
        "consultation",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text(
            "overdue_at IS NULL AND state IN ('APPLIED', 'ACCEPTED', 'SCHEDULED')"
        ),
    )
    op.create_index("ix_consultation_invitee_id", "consultation", ["invitee_id"], unique=False)
    op.create_index(
        "ix_consultation_site_id_applied_at",
        "consultation",
        ["site_id", "applied_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_consultation_workitem_id"), "consultation", ["workitem_id"], unique=False
    )
    op.create_table(
        "retake",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_name", sa.String(), nullable=True),
        sa.Column("called_phone", sa.String(), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("new_study_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('RECEIVED', 'CLOSED')) = (new_study_id IS NOT NULL)",
            name=op.f("ck_retake_received"),
        ),
        sa.CheckConstraint(
            "priority <> 'STAT' OR (called_name <> '' AND called_phone <> '')",
            name=op.f("ck_retake_called"),
        ),
        sa.CheckConstraint(
            "state <> 'ACKNOWLEDGED' OR acknowledged_by IS NOT NULL", name=op.f("ck_retake_known")
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["person.id"], name=op.f("fk_retake_acknowledged_by")
        ),
        sa.ForeignKeyConstraint(
            ["new_study_id"], ["study.id"], name=op.f("fk_retake_new_study_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["exam_order.id"], name=op.f("fk_retake_order_id")),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["person.id"], name=op.f("fk_retake_requested_by")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name=op.f("fk_retake_site_id")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_retake_study_id")),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name=op.f("fk_retake_workitem_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retake")),
    )
    op.create_index(op.f("ix_retake_order_id"), "retake", ["order_id"], unique=False)
    op.create_index(
        "ix_retake_site_id_requested_at", "retake", ["site_id", "requested_at"], unique=False
    )
    op.create_index(op.f("ix_retake_workitem_id"), "retake", ["workitem_id"], unique=False)
    op.create_index(
        "uq_retake_waiting",
        "retake",
        ["study_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('REQUESTED', 'ACKNOWLEDGED')"),
    )
    _guard("consultation", CONSULTATION_CHANGES, "APPLIED")
    _guard("retake", RETAKE_CHANGES, "REQUESTED")
    op.execute("""
        CREATE FUNCTION guard_signed_opinion() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.signature IS NOT NULL AND (
                NEW.signature IS DISTINCT FROM OLD.signature
                OR NEW.opinion IS DISTINCT FROM OLD.opinion
                OR NEW.opinion_content IS DISTINCT FROM OLD.opinion_content
            ) THEN
                RAISE EXCEPTION 'a signed opinion is not changed'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_opinion BEFORE UPDATE ON consultation"
        " FOR EACH ROW EXECUTE FUNCTION guard_signed_opinion()"
    )


def _guard(table: str, changes: tuple[tuple[str, str], ...], first: str) -> None:
    op.bulk_insert(
        sa.table(f"{table}_transition", sa.column("from_state"), sa.column("to_state")),
        [{"from_state": before, "to_state": after} for before, after in changes],
    )
    op.execute(
        f"CREATE TRIGGER guard_state BEFORE INSERT OR UPDATE OF state ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION guard_state_change('{table}_transition', '{first}')"
    )
    op.execute(
        f"CREATE TRIGGER keep_rows BEFORE DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
