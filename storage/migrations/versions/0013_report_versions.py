"""Preliminary reports, amendments, revocations and recalls; one version that stands."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The pairs of reading_worklist.workitems.states that are new at this revision; a test compares.
WORKITEM_CHANGES = (
    ("CLAIMED", "PRELIM_ISSUED"),
    ("WRITTEN", "PRELIM_ISSUED"),
    ("PRELIM_ISSUED", "REVIEWING"),
    ("PRELIM_ISSUED", "REVOKED"),
    ("PUBLISHED", "CLAIMED"),
    ("DELIVERED", "CLAIMED"),
    ("CLAIMED", "PUBLISHED"),
    ("REVIEWING", "AMENDED"),
    ("AMENDED", "PUBLISHED"),
    ("PUBLISHED", "REVOKED"),
    ("DELIVERED", "REVOKED"),
    ("REVOKED", "QUEUED"),
    ("REVOKED", "HELD"),
    ("PUBLISHED", "ARCHIVED"),
    ("DELIVERED", "ARCHIVED"),
    ("REVOKED", "ARCHIVED"),
)
LOCKED_WITH_WORKITEM = (
    "report_draft",
    "report_submission",
    "report_version",
    "report_amendment",
    "report_revocation",
    "report_recall",
)


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "workitem", sa.Column("preliminary_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "workitem", sa.Column("amending", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.bulk_insert(
        sa.table("workitem_transition", sa.column("from_state"), sa.column("to_state")),
        [{"from_state": before, "to_state": after} for before, after in WORKITEM_CHANGES],
    )
    op.alter_column("report_version", "reviewer_id", existing_type=sa.Uuid(), nullable=True)
    op.drop_constraint(op.f("ck_report_version_two_doctors"), "report_version", type_="check")
    op.create_check_constraint(
        op.f("ck_report_version_two_doctors"),
        "report_version",
        "(status = 'preliminary') = (reviewer_id IS NULL)"
        " AND (reviewer_id IS NULL OR writer_id <> reviewer_id)",
    )
    _create_tables()
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON report_recall"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER append_only_table BEFORE TRUNCATE ON report_recall"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for table in ("report_amendment", "report_revocation", "recall_recipient"):
        op.execute(
            f"CREATE TRIGGER keep_rows BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    _create_guards()


def _create_tables() -> None:
    op.create_table(
        "report_amendment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("report_version_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("abandoned", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (abandoned IS NULL)", name=op.f("ck_report_amendment_end")
        ),
        sa.ForeignKeyConstraint(
            ["report_version_id"],
            ["report_version.id"],
            name="fk_report_amendment_report_version_id",
        ),
        sa.ForeignKeyConstraint(
            ["started_by"], ["person.id"], name="fk_report_amendment_started_by"
        ),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name="fk_report_amendment_workitem_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_report_amendment"),
    )
    op.create_index(
        "uq_report_amendment_open",
        "report_amendment",
        ["workitem_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "report_revocation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("report_version_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pdf_object_key", sa.String(), nullable=True),
        sa.Column("pdf_sha256", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL)"
            " AND (state <> 'CONFIRMED' OR decided_by <> proposed_by)",
            name=op.f("ck_report_revocation_two_people"),
        ),
        sa.CheckConstraint(
            "(state = 'CONFIRMED') = (pdf_object_key IS NOT NULL)",
            name=op.f("ck_report_revocation_tombstone"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name="fk_report_revocation_decided_by"
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["person.id"], name="fk_report_revocation_proposed_by"
        ),
        sa.ForeignKeyConstraint(
            ["report_version_id"],
            ["report_version.id"],
            name="fk_report_revocation_report_version_id",
        ),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name="fk_report_revocation_workitem_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_report_revocation"),
    )
    op.create_index(
        "ix_report_revocation_workitem_id", "report_revocation", ["workitem_id"], unique=False
    )
    op.create_index(
        "uq_report_revocation_open",
        "report_revocation",
        ["report_version_id"],
        unique=True,
        postgresql_where=sa.text("state = 'PROPOSED'"),
    )
    op.create_table(
        "report_recall",
        sa.Column("report_version_id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.Column("revocation_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'superseded') = (replaced_by IS NOT NULL)"
            " AND (kind = 'revoked') = (revocation_id IS NOT NULL)",
            name=op.f("ck_report_recall_why"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_report_recall_person_id"),
        sa.ForeignKeyConstraint(
            ["replaced_by"],
            ["report_version.id"],
            name="fk_report_recall_replaced_by",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(
            ["report_version_id"],
            ["report_version.id"],
            name="fk_report_recall_report_version_id",
        ),
        sa.ForeignKeyConstraint(
            ["revocation_id"], ["report_revocation.id"], name="fk_report_recall_revocation_id"
        ),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name="fk_report_recall_workitem_id"
        ),
        sa.PrimaryKeyConstraint("report_version_id", name="pk_report_recall"),
        sa.UniqueConstraint("replaced_by", name="uq_report_recall_replaced_by"),
        sa.UniqueConstraint("revocation_id", name="uq_report_recall_revocation_id"),
    )
    op.create_index("ix_report_recall_workitem_id", "report_recall", ["workitem_id"], unique=False)
    op.create_table(
        "recall_recipient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_version_id", sa.Uuid(), nullable=False),
        sa.Column("destination_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(destination_id IS NULL) <> (person_id IS NULL)", name=op.f("ck_recall_recipient_who")
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name="fk_recall_recipient_destination_id"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_recall_recipient_person_id"),
        sa.ForeignKeyConstraint(
            ["report_version_id"],
            ["report_recall.report_version_id"],
            name="fk_recall_recipient_report_version_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_recall_recipient"),
        sa.UniqueConstraint(
            "report_version_id",
            "destination_id",
            name="uq_recall_recipient_report_version_id_destination_id",
        ),
        sa.UniqueConstraint(
            "report_version_id",
            "person_id",
            name="uq_recall_recipient_report_version_id_person_id",
        ),
    )
    op.create_index(
        "ix_recall_recipient_person_id", "recall_recipient", ["person_id"], unique=False
    )


def _create_guards() -> None:
    # The workitem is locked, so that two transactions cannot both see no version that stands.
    op.execute("""
        CREATE FUNCTION guard_standing_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM workitem WHERE id = NEW.workitem_id FOR UPDATE;
            IF EXISTS (
                SELECT FROM report_version
                LEFT JOIN report_recall ON report_recall.report_version_id = report_version.id
                WHERE report_version.workitem_id = NEW.workitem_id
                AND report_recall.report_version_id IS NULL
            ) THEN
                RAISE EXCEPTION 'an earlier version of the report stands'
                    USING ERRCODE = 'unique_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_standing BEFORE INSERT ON report_version"
        " FOR EACH ROW EXECUTE FUNCTION guard_standing_version()"
    )
    op.execute("""
        CREATE FUNCTION guard_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.state <> 'PROPOSED' OR NEW.proposed_by <> OLD.proposed_by
                OR NEW.report_version_id <> OLD.report_version_id OR NEW.reason <> OLD.reason
            THEN
                RAISE EXCEPTION 'a revocation is decided once and not changed otherwise'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_change BEFORE UPDATE ON report_revocation"
        " FOR EACH ROW EXECUTE FUNCTION guard_revocation()"
    )
    op.execute("""
        CREATE FUNCTION guard_confirmed_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.kind = 'revoked' AND NOT EXISTS (
                SELECT FROM report_revocation WHERE id = NEW.revocation_id
                AND report_version_id = NEW.report_version_id AND state = 'CONFIRMED'
            ) THEN
                RAISE EXCEPTION 'a report is revoked by two people alone'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_revoked BEFORE INSERT ON report_recall"
        " FOR EACH ROW EXECUTE FUNCTION guard_confirmed_revocation()"
    )
    op.execute("""
        CREATE FUNCTION guard_archived() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM workitem WHERE id = NEW.workitem_id AND state = 'ARCHIVED'
            ) THEN
                RAISE EXCEPTION 'the reading is archived' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    for table in LOCKED_WITH_WORKITEM:
        op.execute(
            f"CREATE TRIGGER guard_archived BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION guard_archived()"
        )
