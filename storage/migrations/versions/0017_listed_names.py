"""The listing of studies has the keys of the patient's name, to find names in its order.

It is written anew rather than updated: an update of every row would leave the table and each of
its indexes twice as large, and in the order of dates it is read page by page.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_INDEXES = (
    ("of_all", ["modality", "studied_at", "study_id"], ["site_id", "patient_id"]),
    ("of_site", ["site_id", "modality", "studied_at", "study_id"], ["patient_id"]),
    ("of_patient", ["patient_id", "modality"], ["studied_at", "study_id", "site_id"]),
)


def upgrade() -> None:
    """Apply the change."""
    for name, _, _ in _INDEXES:
        op.drop_index(f"ix_study_listing_{name}", "study_listing")
    op.execute("TRUNCATE study_listing")
    op.add_column(
        "study_listing",
        sa.Column("name_vector", postgresql.TSVECTOR(), server_default="", nullable=False),
    )
    _write_names()
    op.execute("""
        INSERT INTO study_listing
            (study_id, modality, site_id, patient_id, studied_at, name_vector)
        SELECT study.id, listed, study.site_id, study.patient_id,
            coalesce(study_date + coalesce(study_time, time '00:00'), timestamp '-infinity')
                AS at,
            array_to_tsvector(patient.name_keys::text[])
        FROM study JOIN patient ON patient.id = study.patient_id
        CROSS JOIN LATERAL (
            SELECT DISTINCT unnest(array_append(modalities, '')) AS listed
        ) AS each
        ORDER BY at, study.id
    """)
    for name, columns, included in _INDEXES:
        op.create_index(
            f"ix_study_listing_{name}", "study_listing", columns, postgresql_include=included
        )
    op.execute("ANALYZE study_listing")


def _write_names() -> None:
    # The lock on the patient lets a change of the name wait for the study, or the other way round:
    # else neither would see the other, and the study be listed under the old name.
    op.execute("""
        CREATE OR REPLACE FUNCTION list_study() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            keys tsvector;
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                DELETE FROM study_listing
                WHERE study_id = NEW.id AND modality <> '' AND modality <> ALL (NEW.modalities);
            END IF;
            SELECT array_to_tsvector(name_keys::text[]) INTO keys
            FROM patient WHERE id = NEW.patient_id FOR SHARE;
            INSERT INTO study_listing
                (study_id, modality, site_id, patient_id, studied_at, name_vector)
            SELECT DISTINCT NEW.id, listed, NEW.site_id, NEW.patient_id,
                coalesce(
                    NEW.study_date + coalesce(NEW.study_time, time '00:00'),
                    timestamp '-infinity'
                ),
                keys
            FROM unnest(array_append(NEW.modalities, '')) AS listed
            ON CONFLICT (study_id, modality) DO UPDATE
            SET site_id = EXCLUDED.site_id, patient_id = EXCLUDED.patient_id,
                studied_at = EXCLUDED.studied_at, name_vector = EXCLUDED.name_vector
            WHERE (study_listing.site_id, study_listing.patient_id, study_listing.studied_at)
                IS DISTINCT FROM (EXCLUDED.site_id, EXCLUDED.patient_id, EXCLUDED.studied_at);
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION list_name() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE study_listing SET name_vector = array_to_tsvector(NEW.name_keys::text[])
            WHERE patient_id = NEW.id;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER list_changed_name AFTER UPDATE OF name_keys ON patient FOR EACH ROW
        WHEN (OLD.name_keys IS DISTINCT FROM NEW.name_keys) EXECUTE FUNCTION list_name()
    """)
