"""Retention rules, legal holds, purges by two people, and decisions about the quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# The pairs of reading_worklist.keeping.states at this revision; a test compares the two.
PURGE_CHANGES = (
    ("PROPOSED", "APPROVED"),
    ("PROPOSED", "REJECTED"),
    ("PROPOSED", "WITHDRAWN"),
    ("APPROVED", "REJECTED"),
    ("APPROVED", "WITHDRAWN"),
    ("APPROVED", "EXECUTING"),
    ("EXECUTING", "DONE"),
)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "purge_transition",
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("from_state", "to_state", name="pk_purge_transition"),
    )
    op.create_table(
        "purge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column(
            "proposed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.String(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('APPROVED', 'EXECUTING', 'DONE', 'REJECTED')"
            " OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="ck_purge_two_people",
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name="fk_purge_decided_by"),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name="fk_purge_proposed_by"),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_purge_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_purge"),
    )
    op.create_index("ix_purge_site_id", "purge", ["site_id"], unique=False)
    op.create_table(
        "retention_rule",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("visit_kind", sa.String(), nullable=False),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "(visit_kind = 'outpatient' AND years >= 15)"
            " OR (visit_kind = 'inpatient' AND years >= 30)",
            name="ck_retention_rule_national_minimum",
        ),
        sa.CheckConstraint("years <= 200", name="ck_retention_rule_bounded"),
        sa.ForeignKeyConstraint(["changed_by"], ["person.id"], name="fk_retention_rule_changed_by"),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_retention_rule_site_id"),
        sa.PrimaryKeyConstraint("site_id", "visit_kind", name="pk_retention_rule"),
    )
    op.create_table(
        "purge_object",
        sa.Column("purge_id", sa.Uuid(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "removed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("still_named", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["purge_id"], ["purge.id"], name="fk_purge_object_purge_id"),
        sa.PrimaryKeyConstraint("purge_id", "object_key", name="pk_purge_object"),
    )
    op.create_index(
        "ix_purge_object_due",
        "purge_object",
        ["purge_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column(
            "set_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)"
            " AND (released_at IS NULL) = (release_reason IS NULL)",
            name="ck_legal_hold_release",
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_legal_hold_patient_id"),
        sa.ForeignKeyConstraint(["released_by"], ["person.id"], name="fk_legal_hold_released_by"),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name="fk_legal_hold_set_by"),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_legal_hold_site_id"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name="fk_legal_hold_study_id"),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
    )
    op.create_index(
        "ix_legal_hold_active",
        "legal_hold",
        ["patient_id"],
        unique=False,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_index("ix_legal_hold_site_id", "legal_hold", ["site_id"], unique=False)
    op.create_table(
        "purge_study",
        sa.Column("purge_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("fate", sa.String(), nullable=False),
        sa.Column("kept_because", sa.String(), nullable=True),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("series_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["purge_id"], ["purge.id"], name="fk_purge_study_purge_id"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name="fk_purge_study_study_id"),
        sa.PrimaryKeyConstraint("purge_id", "study_id", name="pk_purge_study"),
    )
    op.create_index(
        "uq_purge_study_open",
        "purge_study",
        ["study_id"],
        unique=True,
        postgresql_where=sa.text("fate = 'WAITING'"),
    )
    op.create_table(
        "quarantine_decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("quarantine_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("filed_sha256", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name="fk_quarantine_decision_decided_by"
        ),
        sa.ForeignKeyConstraint(
            ["quarantine_id"], ["quarantine.id"], name="fk_quarantine_decision_quarantine_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine_decision"),
    )
    op.create_index(
        "ix_quarantine_decision_quarantine_id",
        "quarantine_decision",
        ["quarantine_id"],
        unique=False,
    )
    op.add_column("quarantine", sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_quarantine_instance_id", "quarantine", ["instance_id"], unique=False)
    op.create_index("ix_quarantine_object_key", "quarantine", ["object_key"], unique=False)
    op.bulk_insert(
        sa.table("purge_transition", sa.column("from_state"), sa.column("to_state")),
        [{"from_state": before, "to_state": after} for before, after in PURGE_CHANGES],
    )
    op.execute("""
        CREATE FUNCTION guard_purge_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'PROPOSED' THEN
                    RAISE EXCEPTION 'a purge begins PROPOSED, not %', NEW.state
                        USING ERRCODE = 'check_violation';
                END IF;
            ELSIF OLD.state <> NEW.state AND NOT EXISTS (
                SELECT FROM purge_transition
                WHERE from_state = OLD.state AND to_state = NEW.state
            ) THEN
                RAISE EXCEPTION 'a purge does not go from % to %', OLD.state, NEW.state
                    USING ERRCODE = 'check_violation';
            ELSIF NEW.proposed_by <> OLD.proposed_by THEN
                RAISE EXCEPTION 'who proposed a purge does not change'
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_state BEFORE INSERT OR UPDATE ON purge"
        " FOR EACH ROW EXECUTE FUNCTION guard_purge_state()"
    )
    # Whatever the program believes: nothing goes without two people, nor against a hold.
    op.execute("""
        CREATE FUNCTION guard_study_purge() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM purge_study JOIN purge ON purge.id = purge_study.purge_id
                WHERE purge_study.study_id = NEW.id AND purge_study.fate = 'WAITING'
                AND purge.state = 'EXECUTING'
            ) THEN
                RAISE EXCEPTION 'a study is removed by an approved purge alone'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            IF EXISTS (
                SELECT FROM legal_hold WHERE patient_id = NEW.patient_id
                AND released_at IS NULL AND (study_id IS NULL OR study_id = NEW.id)
            ) THEN
                RAISE EXCEPTION 'a study under legal hold is not removed'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_purge BEFORE UPDATE OF purged_at ON study FOR EACH ROW"
        " WHEN (OLD.purged_at IS NULL AND NEW.purged_at IS NOT NULL)"
        " EXECUTE FUNCTION guard_study_purge()"
    )
    op.execute("""
        CREATE FUNCTION guard_instance_removal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM study WHERE id = OLD.study_id AND purged_at IS NULL
            ) THEN
                RAISE EXCEPTION 'an instance is removed with its purged study alone'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN OLD;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_removal BEFORE DELETE ON instance"
        " FOR EACH ROW EXECUTE FUNCTION guard_instance_removal()"
    )
    op.execute("""
        CREATE FUNCTION guard_legal_hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.released_at IS NOT NULL OR NEW.patient_id <> OLD.patient_id
                OR NEW.study_id IS DISTINCT FROM OLD.study_id OR NEW.reason <> OLD.reason
            THEN
                RAISE EXCEPTION 'a legal hold is released once and not changed otherwise'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_change BEFORE UPDATE ON legal_hold"
        " FOR EACH ROW EXECUTE FUNCTION guard_legal_hold()"
    )
    for table in ("legal_hold", "purge", "purge_study", "purge_object"):
        op.execute(
            f"CREATE TRIGGER keep_rows BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON quarantine_decision"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
