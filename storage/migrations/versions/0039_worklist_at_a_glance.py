"""Counts of the worklist are kept, names are found among what waits, what is done has an index.

Triggers write both tables. `recount_workitems` makes them anew from the workitems.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# As reading_worklist.workitems.routed.WAITING and DONE were at this revision.
WAITING = "'QUEUED', 'CLAIMED', 'WRITTEN', 'REVIEWING', 'RETURNED', 'PRELIM_ISSUED', 'HELD'"
DONE = "state IN ('FINAL', 'PUBLISHED', 'DELIVERED', 'AMENDED', 'REVOKED', 'ARCHIVED', 'WITHDRAWN')"


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "workitem_tally",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("modalities", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workitem_tally"),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_workitem_tally_site_id"),
    )
    op.create_index("ix_workitem_tally_site_id", "workitem_tally", ["site_id"])
    op.create_table(
        "queue_name",
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("name_vector", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("workitem_id", name="pk_queue_name"),
        sa.ForeignKeyConstraint(
            ["workitem_id"],
            ["workitem.id"],
            name="fk_queue_name_workitem_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_queue_name_name_vector", "queue_name", ["name_vector"], postgresql_using="gin"
    )
    op.create_index(
        "ix_workitem_done",
        "workitem",
        ["queued_at", "id"],
        postgresql_where=sa.text(DONE),
        postgresql_include=["site_id", "lane", "state"],
    )
    op.execute(
        "CREATE FUNCTION workitem_waits(state text) RETURNS boolean LANGUAGE sql IMMUTABLE"
        f" RETURN state IN ({WAITING})"
    )
    _tally()
    _names()
    op.execute("""
        CREATE FUNCTION recount_workitems() RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            LOCK TABLE workitem IN SHARE ROW EXCLUSIVE MODE;
            DELETE FROM workitem_tally;
            INSERT INTO workitem_tally (site_id, lane, state, urgency, modalities, number)
            SELECT site_id, lane, state, urgency, modalities, count(*) FROM workitem
            GROUP BY site_id, lane, state, urgency, modalities;
            DELETE FROM queue_name;
            INSERT INTO queue_name (workitem_id, name_vector)
            SELECT workitem.id, array_to_tsvector(patient.name_keys::text[])
            FROM workitem JOIN patient ON patient.id = workitem.patient_id
            WHERE workitem_waits(state);
        END $$
    """)
    op.execute("SELECT recount_workitems()")
    op.execute("ANALYZE workitem_tally, queue_name")


def _tally() -> None:
    op.execute("""
        CREATE FUNCTION tally_workitem() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                INSERT INTO workitem_tally (site_id, lane, state, urgency, modalities, number)
                VALUES (OLD.site_id, OLD.lane, OLD.state, OLD.urgency, OLD.modalities, -1);
            END IF;
            IF TG_OP <> 'DELETE' THEN
                INSERT INTO workitem_tally (site_id, lane, state, urgency, modalities, number)
                VALUES (NEW.site_id, NEW.lane, NEW.state, NEW.urgency, NEW.modalities, 1);
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER tally AFTER INSERT OR DELETE ON workitem"
        " FOR EACH ROW EXECUTE FUNCTION tally_workitem()"
    )
    op.execute(
        "CREATE TRIGGER tally_change AFTER UPDATE OF site_id, lane, state, priority, modalities"
        " ON workitem FOR EACH ROW"
        " WHEN ((OLD.site_id, OLD.lane, OLD.state, OLD.urgency, OLD.modalities)"
        " IS DISTINCT FROM (NEW.site_id, NEW.lane, NEW.state, NEW.urgency, NEW.modalities))"
        " EXECUTE FUNCTION tally_workitem()"
    )


def _names() -> None:
    # The lock on the patient lets a change of the name wait for the workitem, or the other way
    # round, as for the listing of studies: else neither would see the other.
    op.execute("""
        CREATE FUNCTION keep_queue_name() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            keys tsvector;
        BEGIN
            IF workitem_waits(NEW.state) THEN
                SELECT array_to_tsvector(name_keys::text[]) INTO keys
                FROM patient WHERE id = NEW.patient_id FOR SHARE;
                INSERT INTO queue_name (workitem_id, name_vector) VALUES (NEW.id, keys)
                ON CONFLICT (workitem_id) DO UPDATE SET name_vector = EXCLUDED.name_vector;
            ELSE
                DELETE FROM queue_name WHERE workitem_id = NEW.id;
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER keep_name AFTER INSERT ON workitem"
        " FOR EACH ROW EXECUTE FUNCTION keep_queue_name()"
    )
    op.execute(
        "CREATE TRIGGER keep_changed_name AFTER UPDATE OF state, patient_id ON workitem"
        " FOR EACH ROW WHEN (OLD.patient_id <> NEW.patient_id"
        " OR workitem_waits(OLD.state) <> workitem_waits(NEW.state))"
        " EXECUTE FUNCTION keep_queue_name()"
    )
    op.execute("""
        CREATE FUNCTION tell_queue_name() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE queue_name SET name_vector = array_to_tsvector(NEW.name_keys::text[])
            FROM workitem
            WHERE workitem.patient_id = NEW.id AND queue_name.workitem_id = workitem.id;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER tell_changed_name AFTER UPDATE OF name_keys ON patient FOR EACH ROW"
        " WHEN (OLD.name_keys IS DISTINCT FROM NEW.name_keys) EXECUTE FUNCTION tell_queue_name()"
    )
