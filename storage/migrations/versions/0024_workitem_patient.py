"""A workitem knows its patient, so that names are found in the queue without its studies."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WAITING = (
    "state IN ('QUEUED', 'CLAIMED', 'WRITTEN', 'REVIEWING', 'RETURNED', 'PRELIM_ISSUED', 'HELD')"
)
SHOWN = [
    "site_id",
    "lane",
    "state",
    "group_id",
    "assignee_id",
    "holder_id",
    "queued_at",
    "study_id",
    "patient_id",
    "modalities",
    "warn_at",
    "escalated_at",
]


def upgrade() -> None:
    """Apply the change."""
    op.add_column("workitem", sa.Column("patient_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE workitem SET patient_id = study.patient_id FROM study"
        " WHERE study.id = workitem.study_id"
    )
    op.alter_column("workitem", "patient_id", nullable=False)
    op.create_foreign_key("fk_workitem_patient_id", "workitem", "patient", ["patient_id"], ["id"])
    op.execute("""
        CREATE FUNCTION workitem_patient() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.patient_id := (SELECT patient_id FROM study WHERE id = NEW.study_id);
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER keep_patient BEFORE INSERT ON workitem"
        " FOR EACH ROW EXECUTE FUNCTION workitem_patient()"
    )
    op.execute("""
        CREATE FUNCTION study_patient_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE workitem SET patient_id = NEW.patient_id WHERE study_id = NEW.id;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER tell_workitem AFTER UPDATE OF patient_id ON study FOR EACH ROW"
        " WHEN (OLD.patient_id IS DISTINCT FROM NEW.patient_id)"
        " EXECUTE FUNCTION study_patient_changed()"
    )
    op.create_index("ix_workitem_patient_id", "workitem", ["patient_id"])
    for name, columns in (
        ("ix_workitem_queue", ["urgency", "due_at", "id"]),
        ("ix_workitem_queue_due", ["due_at", "id"]),
        ("ix_workitem_queue_since", ["queued_at", "id"]),
    ):
        op.drop_index(name, table_name="workitem")
        op.create_index(
            name,
            "workitem",
            columns,
            postgresql_where=sa.text(WAITING),
            postgresql_include=[one for one in SHOWN if one not in columns],
        )
