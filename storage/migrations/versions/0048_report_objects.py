"""The objects of reports as instances of their studies; those that do not stand leave the index."""

from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "study",
        sa.Column("report_object_count", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_table(
        "report_object",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("report_version_id", sa.Uuid(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sop_class_uid", sa.String(), nullable=False),
        sa.Column("series_instance_uid", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("object_size", sa.BigInteger(), nullable=False),
        sa.Column("dataset_sha256", sa.String(), nullable=False),
        sa.Column("dataset_offset", sa.Integer(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_report_object_site_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_report_object_study_id")),
        sa.PrimaryKeyConstraint("site_id", "sop_instance_uid", name=op.f("pk_report_object")),
    )
    for column in ("study_id", "workitem_id", "report_version_id", "object_key"):
        op.create_index(op.f(f"ix_report_object_{column}"), "report_object", [column])
    _guard_superseding()
    _let_superseded_leave()
    _take_over_structured_reports()


def _guard_superseding() -> None:
    op.execute("""
        CREATE FUNCTION guard_report_object() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.superseded_at IS NOT NULL
                OR (to_jsonb(NEW) - 'superseded_at') <> (to_jsonb(OLD) - 'superseded_at')
            THEN
                RAISE EXCEPTION 'an object of a report is superseded once and not changed otherwise'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_change BEFORE UPDATE ON report_object"
        " FOR EACH ROW EXECUTE FUNCTION guard_report_object()"
    )
    op.execute("""
        CREATE FUNCTION guard_report_object_removal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM study WHERE id = OLD.study_id AND purged_at IS NULL) THEN
                RAISE EXCEPTION 'an object of a report is removed with its purged study alone'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN OLD;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_removal BEFORE DELETE ON report_object"
        " FOR EACH ROW EXECUTE FUNCTION guard_report_object_removal()"
    )


def _let_superseded_leave() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION guard_instance_removal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM study WHERE id = OLD.study_id AND purged_at IS NULL
            ) AND NOT EXISTS (
                SELECT FROM quarantine WHERE object_key = OLD.object_key
                AND site_id = OLD.site_id AND dataset_sha256 = OLD.dataset_sha256
                AND reason = 'patient_mismatch' AND purged_at IS NULL
            ) AND NOT EXISTS (
                SELECT FROM report_object WHERE site_id = OLD.site_id
                AND sop_instance_uid = OLD.sop_instance_uid AND object_key = OLD.object_key
                AND dataset_sha256 = OLD.dataset_sha256 AND superseded_at IS NOT NULL
            ) THEN
                RAISE EXCEPTION 'an instance is removed with its purged study alone'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN OLD;
        END $$
    """)


def _take_over_structured_reports() -> None:
    """Enter the structured reports of ECGs that were filed before; recalled ones leave the index.

    Their UIDs follow from the ids of the versions, which PostgreSQL does not compute by itself.
    """
    connection = op.get_bind()
    connection.execute(
        sa.text("CREATE TEMPORARY TABLE named (version_id uuid, uid text) ON COMMIT DROP")
    )
    versions = connection.execute(
        sa.text(
            "SELECT version.id FROM report_version AS version"
            " JOIN workitem ON workitem.id = version.workitem_id WHERE workitem.lane = 'ecg'"
        )
    )
    for batch in versions.scalars().partitions(1000):
        connection.execute(
            sa.text("INSERT INTO named VALUES (:version_id, :uid)"),
            [
                {"version_id": one, "uid": f"2.25.{uuid5(_STRUCTURED, f'instance:{one}').int}"}
                for one in batch
            ],
        )
    for statement in _TAKE_OVER:
        connection.execute(sa.text(statement))


_STRUCTURED = UUID("2f6f1a44-0a3e-4c0b-9f39-7a0c3f5f2f1d")
_TAKE_OVER = (
    """
    INSERT INTO report_object
    SELECT instance.site_id, instance.sop_instance_uid, instance.study_id, version.workitem_id,
        version.id, version.number, 'structured', instance.sop_class_uid,
        series.series_instance_uid, instance.object_key, instance.object_size,
        instance.dataset_sha256, instance.dataset_offset, instance.received_at, recall.recalled_at
    FROM named
    JOIN report_version AS version ON version.id = named.version_id
    JOIN workitem ON workitem.id = version.workitem_id
    JOIN instance ON instance.site_id = workitem.site_id
        AND instance.sop_instance_uid = named.uid
    JOIN series ON series.id = instance.series_id
    LEFT JOIN report_recall AS recall ON recall.report_version_id = version.id
    """,
    """
    CREATE TEMPORARY TABLE leaving ON COMMIT DROP AS
    SELECT instance.id, instance.study_id, instance.series_id, instance.object_size
    FROM report_object JOIN instance USING (site_id, sop_instance_uid)
    WHERE report_object.superseded_at IS NOT NULL
    """,
    "DELETE FROM instance WHERE id IN (SELECT id FROM leaving)",
    """
    UPDATE series SET instance_count = instance_count - gone.instances,
        byte_count = byte_count - gone.bytes, revision = revision + 1
    FROM (SELECT series_id, count(*) AS instances, sum(object_size) AS bytes
          FROM leaving GROUP BY series_id) AS gone
    WHERE series.id = gone.series_id
    """,
    """
    UPDATE study SET instance_count = instance_count - gone.instances,
        byte_count = byte_count - gone.bytes
    FROM (SELECT study_id, count(*) AS instances, sum(object_size) AS bytes
          FROM leaving GROUP BY study_id) AS gone
    WHERE study.id = gone.study_id
    """,
    """
    UPDATE study SET series_count = series_count - gone.series
    FROM (SELECT study_id, count(*) AS series FROM series
          WHERE instance_count = 0 AND id IN (SELECT series_id FROM leaving)
          GROUP BY study_id) AS gone
    WHERE study.id = gone.study_id
    """,
    """
    DELETE FROM series
    WHERE instance_count = 0 AND id IN (SELECT series_id FROM leaving)
    """,
    """
    UPDATE study SET report_object_count = standing.number
    FROM (SELECT study_id, count(*) AS number FROM report_object
          WHERE superseded_at IS NULL GROUP BY study_id) AS standing
    WHERE study.id = standing.study_id
    """,
)
