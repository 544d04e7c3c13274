"""An instance may leave the index while a quarantine entry keeps its bytes: filing undone."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.execute("""
        CREATE OR REPLACE FUNCTION guard_instance_removal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM study WHERE id = OLD.study_id AND purged_at IS NULL
            ) AND NOT EXISTS (
                SELECT FROM quarantine WHERE object_key = OLD.object_key
                AND site_id = OLD.site_id AND dataset_sha256 = OLD.dataset_sha256
                AND reason = 'patient_mismatch' AND purged_at IS NULL
            ) THEN
                RAISE EXCEPTION 'an instance is removed with its purged study alone'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN OLD;
        END $$
    """)
