"""One signature for an ECG, where a consortium has switched that on for some days."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "single_signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_at > begins_at", name=op.f("ck_single_signature_order")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_single_signature_ended")
        ),
        sa.CheckConstraint("basis <> ''", name=op.f("ck_single_signature_basis")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_single_signature_organisation_id"
        ),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name="fk_single_signature_made_by"),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name="fk_single_signature_ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_single_signature"),
    )
    op.create_index(
        "ix_single_signature_organisation_id",
        "single_signature",
        ["organisation_id", "ends_at"],
        unique=False,
    )
    op.add_column("report_version", sa.Column("single_signature_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_report_version_single_signature_id",
        "report_version",
        "single_signature",
        ["single_signature_id"],
        ["id"],
    )
    op.drop_constraint(op.f("ck_report_version_two_doctors"), "report_version", type_="check")
    op.create_check_constraint(
        op.f("ck_report_version_two_doctors"),
        "report_version",
        "(status = 'preliminary' OR single_signature_id IS NOT NULL) = (reviewer_id IS NULL)"
        " AND (reviewer_id IS NULL OR writer_id <> reviewer_id)"
        " AND (single_signature_id IS NULL OR status = 'final')",
    )
    op.bulk_insert(
        sa.table("workitem_transition", sa.column("from_state"), sa.column("to_state")),
        [{"from_state": "CLAIMED", "to_state": "FINAL"}],
    )
    _create_guards()


def _create_guards() -> None:
    op.execute(
        "CREATE TRIGGER keep_rows BEFORE DELETE ON single_signature"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("""
        CREATE FUNCTION guard_single_signature_period() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.ended_at IS NOT NULL
                OR (NEW.id, NEW.organisation_id, NEW.begins_at, NEW.ends_at, NEW.basis)
                IS DISTINCT FROM
                (OLD.id, OLD.organisation_id, OLD.begins_at, OLD.ends_at, OLD.basis)
            THEN
                RAISE EXCEPTION 'a period of single signatures is ended once, not changed'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_change BEFORE UPDATE ON single_signature"
        " FOR EACH ROW EXECUTE FUNCTION guard_single_signature_period()"
    )
    op.execute("""
        CREATE FUNCTION guard_single_signature_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                WITH RECURSIVE line AS (
                    SELECT organisation.id, organisation.parent_id FROM organisation
                    JOIN workitem ON workitem.site_id = organisation.id
                    WHERE workitem.id = NEW.workitem_id AND workitem.lane = 'ecg'
                    UNION ALL
                    SELECT organisation.id, organisation.parent_id FROM organisation
                    JOIN line ON line.parent_id = organisation.id
                )
                SELECT FROM single_signature JOIN line ON line.id = organisation_id
                WHERE single_signature.id = NEW.single_signature_id
                AND begins_at <= NEW.issued_at AND ends_at > NEW.issued_at AND ended_at IS NULL
            ) OR EXISTS (
                SELECT FROM report_version WHERE workitem_id = NEW.workitem_id
                AND id NOT IN (
                    SELECT report_version_id FROM report_recall WHERE kind = 'revoked'
                )
            ) THEN
                RAISE EXCEPTION 'one signature is not enough for this report'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_single_signature BEFORE INSERT ON report_version FOR EACH ROW"
        " WHEN (NEW.single_signature_id IS NOT NULL)"
        " EXECUTE FUNCTION guard_single_signature_version()"
    )
    op.execute("""
        CREATE FUNCTION guard_issued_alone() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM report_version
                LEFT JOIN report_recall ON report_recall.report_version_id = report_version.id
                WHERE report_version.workitem_id = NEW.id
                AND report_version.single_signature_id IS NOT NULL
                AND report_recall.report_version_id IS NULL
            ) THEN
                RAISE EXCEPTION 'a reading is final with two signatures, or where one is enough'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_issued_alone BEFORE UPDATE OF state ON workitem FOR EACH ROW"
        " WHEN (OLD.state = 'CLAIMED' AND NEW.state = 'FINAL')"
        " EXECUTE FUNCTION guard_issued_alone()"
    )
