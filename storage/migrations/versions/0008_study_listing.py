"""What searches need: the listing of studies, keys of names, more attributes of studies and series.

The listing is written by a trigger, so that every writer of studies keeps it right.
"""

import sqlalchemy as sa
from alembic import op

from storage.person_name import search_keys

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("study", sa.Column("patient_age", sa.String(), nullable=True))
    for name in ("series_date", "performed_procedure_step_start_date"):
        op.add_column("series", sa.Column(name, sa.Date(), nullable=True))
    for name in ("series_time", "performed_procedure_step_start_time"):
        op.add_column("series", sa.Column(name, sa.Time(), nullable=True))
    for name in ("protocol_name", "institution_name", "station_name", "manufacturer"):
        op.add_column("series", sa.Column(name, sa.String(), nullable=True))
    op.create_index("ix_series_series_instance_uid", "series", ["series_instance_uid"])
    op.drop_index("ix_study_accession_number", "study")
    op.create_index(
        "ix_study_accession_number",
        "study",
        ["accession_number"],
        postgresql_ops={"accession_number": "varchar_pattern_ops"},
    )
    _index_patients()
    _list_studies()


def _index_patients() -> None:
    op.create_index(
        "ix_patient_local_id",
        "patient",
        ["local_id"],
        postgresql_ops={"local_id": "varchar_pattern_ops"},
    )
    op.create_index("ix_patient_birth_date", "patient", ["birth_date"])
    patient = sa.table(
        "patient", sa.column("id"), sa.column("name"), sa.column("name_keys", sa.ARRAY(sa.String))
    )
    connection = op.get_bind()
    for identifier, name in connection.execute(sa.select(patient.c.id, patient.c.name)).all():
        connection.execute(
            sa.update(patient)
            .where(patient.c.id == identifier)
            .values(name_keys=search_keys(str(name)))
        )
    op.create_index(
        "ix_patient_name_keys",
        "patient",
        [sa.text("array_to_tsvector(name_keys::text[])")],
        postgresql_using="gin",
    )
    # How common a beginning of a name is decides how a search goes; the usual hundred say little.
    op.execute("ALTER INDEX ix_patient_name_keys ALTER COLUMN 1 SET STATISTICS 1000")


def _list_studies() -> None:
    op.create_table(
        "study_listing",
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("studied_at", sa.DateTime(timezone=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.id"],
            name=op.f("fk_study_listing_study_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("study_id", "modality", name=op.f("pk_study_listing")),
    )
    op.execute("""
        CREATE FUNCTION list_study() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                DELETE FROM study_listing
                WHERE study_id = NEW.id AND modality <> '' AND modality <> ALL (NEW.modalities);
            END IF;
            INSERT INTO study_listing (study_id, modality, site_id, patient_id, studied_at)
            SELECT DISTINCT NEW.id, listed, NEW.site_id, NEW.patient_id,
                coalesce(
                    NEW.study_date + coalesce(NEW.study_time, time '00:00'),
                    timestamp '-infinity'
                )
            FROM unnest(array_append(NEW.modalities, '')) AS listed
            ON CONFLICT (study_id, modality) DO UPDATE
            SET site_id = EXCLUDED.site_id, patient_id = EXCLUDED.patient_id,
                studied_at = EXCLUDED.studied_at
            WHERE (study_listing.site_id, study_listing.patient_id, study_listing.studied_at)
                IS DISTINCT FROM (EXCLUDED.site_id, EXCLUDED.patient_id, EXCLUDED.studied_at);
            RETURN NULL;
        END $$
    """)
    op.execute("""
        INSERT INTO study_listing (study_id, modality, site_id, patient_id, studied_at)
        SELECT DISTINCT id, listed, site_id, patient_id,
            coalesce(study_date + coalesce(study_time, time '00:00'), timestamp '-infinity')
        FROM study, unnest(array_append(modalities, '')) AS listed
    """)
    op.execute(
        "CREATE TRIGGER list_study AFTER INSERT ON study FOR EACH ROW EXECUTE FUNCTION list_study()"
    )
    op.execute("""
        CREATE TRIGGER list_changed_study
        AFTER UPDATE OF modalities, study_date, study_time, site_id, patient_id ON study
        FOR EACH ROW WHEN (
            (OLD.modalities, OLD.study_date, OLD.study_time, OLD.site_id, OLD.patient_id)
            IS DISTINCT FROM
            (NEW.modalities, NEW.study_date, NEW.study_time, NEW.site_id, NEW.patient_id)
        )
        EXECUTE FUNCTION list_study()
    """)
    # Of all sites together, of one, and of a patient; they answer pages and counts by themselves.
    op.create_index(
        "ix_study_listing_of_all",
        "study_listing",
        ["modality", "studied_at", "study_id"],
        postgresql_include=["site_id", "patient_id"],
    )
    op.create_index(
        "ix_study_listing_of_site",
        "study_listing",
        ["site_id", "modality", "studied_at", "study_id"],
        postgresql_include=["patient_id"],
    )
    op.create_index(
        "ix_study_listing_of_patient",
        "study_listing",
        ["patient_id", "modality"],
        postgresql_include=["studied_at", "study_id", "site_id"],
    )
    # Answers come from an index alone only for pages that a vacuum has marked as visible to all.
    op.execute("""
        ALTER TABLE study_listing SET (
            autovacuum_vacuum_insert_scale_factor = 0.01,
            autovacuum_vacuum_insert_threshold = 2000,
            autovacuum_analyze_scale_factor = 0.02
        )
    """)
