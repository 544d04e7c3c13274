"""Orders and exams, what devices performed, HL7 senders, and the identity desk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The pairs of storage.orders.states at this revision; a test compares the two.
EXAM_CHANGES = (
    ("ACQUIRED", "IDENTITY_HOLD"),
    ("ACQUIRED", "INCOMPLETE"),
    ("ACQUIRED", "RECEIVED"),
    ("CANCELLED", "IDENTITY_HOLD"),
    ("CANCELLED", "REQUESTED"),
    ("CHECKED_IN", "ACQUIRED"),
    ("CHECKED_IN", "CANCELLED"),
    ("CHECKED_IN", "IDENTITY_HOLD"),
    ("CHECKED_IN", "INCOMPLETE"),
    ("CHECKED_IN", "RECEIVED"),
    ("IDENTITY_HOLD", "RECEIVED"),
    ("IDENTITY_HOLD", "REQUESTED"),
    ("IDENTITY_HOLD", "RETAKE"),
    ("INCOMPLETE", "IDENTITY_HOLD"),
    ("INCOMPLETE", "QUEUED"),
    ("INCOMPLETE", "RECEIVED"),
    ("INCOMPLETE", "REJECTED_QUALITY"),
    ("INCOMPLETE", "REQUESTED"),
    ("INCOMPLETE", "RETAKE"),
    ("QUEUED", "IDENTITY_HOLD"),
    ("QUEUED", "REJECTED_QUALITY"),
    ("QUEUED", "REQUESTED"),
    ("QUEUED", "RETAKE"),
    ("RECEIVED", "IDENTITY_HOLD"),
    ("RECEIVED", "INCOMPLETE"),
    ("RECEIVED", "QUEUED"),
    ("RECEIVED", "REJECTED_QUALITY"),
    ("RECEIVED", "REQUESTED"),
    ("RECEIVED", "RETAKE"),
    ("REJECTED_QUALITY", "ACQUIRED"),
    ("REJECTED_QUALITY", "INCOMPLETE"),
    ("REJECTED_QUALITY", "RECEIVED"),
    ("REQUESTED", "ACQUIRED"),
    ("REQUESTED", "CANCELLED"),
    ("REQUESTED", "CHECKED_IN"),
    ("REQUESTED", "IDENTITY_HOLD"),
    ("REQUESTED", "INCOMPLETE"),
    ("REQUESTED", "RECEIVED"),
    ("RETAKE", "ACQUIRED"),
    ("RETAKE", "CANCELLED"),
    ("RETAKE", "CHECKED_IN"),
    ("RETAKE", "IDENTITY_HOLD"),
    ("RETAKE", "INCOMPLETE"),
    ("RETAKE", "RECEIVED"),
    ("RETAKE", "REQUESTED"),
)

# The pairs by which the identity desk takes a study out of the reading worklist and back.
WORKITEM_CHANGES = (
    ("QUEUED", "HELD"),
    ("CLAIMED", "HELD"),
    ("RETURNED", "HELD"),
    ("HELD", "QUEUED"),
    ("HELD", "WITHDRAWN"),
    ("WITHDRAWN", "HELD"),
)


def upgrade() -> None:
    """Apply the change."""
    op.execute(sa.schema.CreateSequence(sa.Sequence("order_number")))
    op.create_table(
        "exam_transition",
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("from_state", "to_state", name=op.f("pk_exam_transition")),
    )
    op.create_table(
        "exam_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("accession_number", sa.String(), nullable=True),
        sa.Column("placer_order_number", sa.String(), nullable=True),
        sa.Column("filler_order_number", sa.String(), nullable=True),
        sa.Column("requested_procedure_id", sa.String(), nullable=False),
        sa.Column("patient_local_id", sa.String(), nullable=True),
        sa.Column("patient_id_issuer", sa.String(), nullable=True),
        sa.Column("patient_name", sa.String(), nullable=False),
        sa.Column("patient_sex", sa.String(), nullable=True),
        sa.Column("patient_birth_date", sa.Date(), nullable=True),
        sa.Column("document_kind", sa.String(), nullable=True),
        sa.Column("document_number", sa.String(), nullable=True),
        sa.Column("document_flaw", sa.String(), nullable=True),
        sa.Column("visit_type", sa.String(), nullable=False),
        sa.Column("visit_number", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("bed", sa.String(), nullable=True),
        sa.Column("requester", sa.String(), nullable=True),
        sa.Column("clinical_diagnosis", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("procedure_code", sa.String(), nullable=True),
        sa.Column("procedure_description", sa.String(), nullable=True),
        sa.Column("body_part", sa.String(), nullable=True),
        sa.Column("laterality", sa.String(), nullable=True),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancellation_reason", sa.String(), nullable=True),
        sa.Column("missing_instances", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(document_kind IN ('newborn', 'unknown')) IS NOT TRUE OR document_number IS NULL",
            name=op.f("ck_exam_order_document"),
        ),
        sa.CheckConstraint(
            "source = 'header' OR (accession_number IS NOT NULL AND patient_local_id IS NOT NULL)",
            name=op.f("ck_exam_order_identifiers"),
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_exam_order_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_order")),
        sa.UniqueConstraint(
            "requested_procedure_id", name=op.f("uq_exam_order_requested_procedure_id")
        ),
    )
    op.create_index(
        "ix_exam_order_patient", "exam_order", ["site_id", "patient_local_id"], unique=False
    )
    op.create_index(
        "ix_exam_order_requested_at", "exam_order", ["site_id", "requested_at"], unique=False
    )
    op.create_index(
        "uq_exam_order_accession_number",
        "exam_order",
        ["site_id", "accession_number"],
        unique=True,
        postgresql_where=sa.text("source <> 'header'"),
    )
    op.create_index(
        "uq_exam_order_placer_order_number",
        "exam_order",
        ["site_id", "placer_order_number"],
        unique=True,
        postgresql_where=sa.text("placer_order_number IS NOT NULL"),
    )
    op.create_index(
        "uq_exam_order_study_instance_uid",
        "exam_order",
        ["site_id", "study_instance_uid"],
        unique=True,
        postgresql_where=sa.text("source <> 'header'"),
    )
    op.create_table(
        "hl7_sender",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("addresses", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_hl7_sender_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hl7_sender")),
        sa.UniqueConstraint(
            "application", "facility", name=op.f("uq_hl7_sender_application_facility")
        ),
    )
    op.create_index(op.f("ix_hl7_sender_site_id"), "hl7_sender", ["site_id"], unique=False)
    op.create_table(
        "hl7_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("control_id", sa.String(), nullable=False),
        sa.Column("message_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("acknowledgement_code", sa.String(), nullable=False),
        sa.Column("acknowledgement", sa.LargeBinary(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["hl7_sender.id"], name=op.f("fk_hl7_message_sender_id")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_hl7_message_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hl7_message")),
        sa.UniqueConstraint(
            "sender_id",
            "control_id",
            "sha256",
            name=op.f("uq_hl7_message_sender_id_control_id_sha256"),
        ),
    )
    op.create_table(
        "performed_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("station_ae_title", sa.String(), nullable=False),
        sa.Column("instance_uids", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("created_dataset", sa.LargeBinary(), nullable=False),
        sa.Column("created_syntax", sa.String(), nullable=False),
        sa.Column("final_dataset", sa.LargeBinary(), nullable=True),
        sa.Column("final_syntax", sa.String(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("satisfied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_performed_step_device_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exam_order.id"], name=op.f("fk_performed_step_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_performed_step_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performed_step")),
        sa.UniqueConstraint(
            "site_id", "sop_instance_uid", name=op.f("uq_performed_step_site_id_sop_instance_uid")
        ),
    )
    op.create_index(
        op.f("ix_performed_step_order_id"), "performed_step", ["order_id"], unique=False
    )
    op.create_index(
        "ix_performed_step_study", "performed_step", ["site_id", "study_instance_uid"], unique=False
    )
    op.create_index(
        "ix_performed_step_unsatisfied",
        "performed_step",
        ["study_instance_uid"],
        unique=False,
        postgresql_where=sa.text("state <> 'IN PROGRESS' AND satisfied_at IS NULL"),
    )
    op.create_table(
        "scheduled_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.String(), nullable=False),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("station_ae_title", sa.String(), nullable=True),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exam_order.id"], name=op.f("fk_scheduled_step_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_step")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_scheduled_step_order_id_number")),
        sa.UniqueConstraint("step_id", name=op.f("uq_scheduled_step_step_id")),
    )
    op.create_index(
        "ix_scheduled_step_open",
        "scheduled_step",
        ["scheduled_at"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('COMPLETED', 'DISCONTINUED')"),
    )
    op.create_index(
        op.f("ix_scheduled_step_order_id"), "scheduled_step", ["order_id"], unique=False
    )
    op.create_table(
        "identity_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("differences", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opened_because", sa.String(), nullable=True),
        sa.Column(
            "opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exam_order.id"], name=op.f("fk_identity_case_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_identity_case_site_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_identity_case_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_case")),
    )
    op.create_index(
        "ix_identity_case_due",
        "identity_case",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_index(op.f("ix_identity_case_site_id"), "identity_case", ["site_id"], unique=False)
    op.create_index(op.f("ix_identity_case_study_id"), "identity_case", ["study_id"], unique=False)
    op.create_index(
        "uq_identity_case_open",
        "identity_case",
        ["study_id"],
        unique=True,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_table(
        "study_order",
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("matched_by", sa.String(), nullable=False),
        sa.Column(
            "linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["exam_order.id"], name=op.f("fk_study_order_order_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_order_study_id")),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_study_order")),
    )
    op.create_index(op.f("ix_study_order_order_id"), "study_order", ["order_id"], unique=False)
    op.create_table(
        "identity_decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("undoes", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["identity_case.id"], name=op.f("fk_identity_decision_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_identity_decision_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_identity_decision_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name=op.f("fk_identity_decision_study_id")
        ),
        sa.ForeignKeyConstraint(
            ["undoes"], ["identity_decision.id"], name=op.f("fk_identity_decision_undoes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_decision")),
    )
    op.create_index(
        op.f("ix_identity_decision_case_id"), "identity_decision", ["case_id"], unique=False
    )
    op.create_index(
        op.f("ix_identity_decision_study_id"), "identity_decision", ["study_id"], unique=False
    )
    op.add_column("device", sa.Column("worklist_character_set", sa.String(), nullable=True))
    op.add_column("study", sa.Column("header_patient_id", sa.String(), nullable=True))
    op.add_column(
        "study", sa.Column("header_patient_name", sa.String(), server_default="", nullable=False)
    )
    op.add_column(
        "study",
        sa.Column("header_name_guessed", sa.Boolean(), server_default="false", nullable=False),
    )
    op.add_column("study", sa.Column("header_patient_sex", sa.String(), nullable=True))
    op.add_column("study", sa.Column("header_patient_birth_date", sa.Date(), nullable=True))
    # ### end Alembic commands ###

    for table in ("identity_decision", "hl7_message"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # What the index knows of the headers of studies that are here already.
    op.execute("""
        UPDATE study SET header_patient_id = patient.local_id, header_patient_name = patient.name,
            header_name_guessed = patient.name_guessed, header_patient_sex = patient.sex,
            header_patient_birth_date = patient.birth_date
        FROM patient WHERE patient.id = study.patient_id
    """)
    for table, changes in (
        ("exam_transition", EXAM_CHANGES),
        ("workitem_transition", WORKITEM_CHANGES),
    ):
        op.bulk_insert(
            sa.table(table, sa.column("from_state"), sa.column("to_state")),
            [{"from_state": before, "to_state": after} for before, after in changes],
        )
    op.execute("""
        CREATE FUNCTION guard_exam_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'REQUESTED' THEN
                    RAISE EXCEPTION 'an exam begins REQUESTED, not %', NEW.state USING ERRCODE =
                    'check_violation';
                END IF;
            ELSIF OLD.state <> NEW.state AND NOT EXISTS (
                SELECT FROM exam_transition WHERE from_state = OLD.state AND to_state = NEW.state
            ) THEN
                RAISE EXCEPTION 'an exam does not go from % to %', OLD.state, NEW.state USING
                ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_state BEFORE INSERT OR UPDATE OF state ON exam_order"
        " FOR EACH ROW EXECUTE FUNCTION guard_exam_state()"
    )
    op.execute("""
        CREATE FUNCTION guard_performed_step() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.state <> 'IN PROGRESS' AND (NEW.state, NEW.instance_uids, NEW.final_dataset)
               IS DISTINCT FROM (OLD.state, OLD.instance_uids, OLD.final_dataset) THEN
                RAISE EXCEPTION 'a performed procedure step that is % is final', OLD.state
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_final BEFORE UPDATE ON performed_step"
        " FOR EACH ROW EXECUTE FUNCTION guard_performed_step()"
    )
