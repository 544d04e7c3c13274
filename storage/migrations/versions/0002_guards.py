"""What the database itself refuses.

Changing what was signed or audited, and a workitem's forbidden change of state.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "audit_record",
    "report_submission",
    "report_return",
    "report_version",
    "report_opening",
)

# The pairs of reading_worklist.workitems.states at this revision; a test compares the two.
WORKITEM_CHANGES = (
    ("QUEUED", "CLAIMED"),
    ("CLAIMED", "QUEUED"),
    ("CLAIMED", "WRITTEN"),
    ("WRITTEN", "REVIEWING"),
    ("REVIEWING", "WRITTEN"),
    ("REVIEWING", "RETURNED"),
    ("REVIEWING", "FINAL"),
    ("RETURNED", "CLAIMED"),
    ("RETURNED", "QUEUED"),
    ("FINAL", "PUBLISHED"),
    ("PUBLISHED", "DELIVERED"),
)


def upgrade() -> None:
    """Apply the change."""
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are only added, never changed or deleted', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END $$
    """)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.bulk_insert(
        sa.table("workitem_transition", sa.column("from_state"), sa.column("to_state")),
        [{"from_state": before, "to_state": after} for before, after in WORKITEM_CHANGES],
    )
    op.execute("""
        CREATE FUNCTION guard_workitem_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'QUEUED' THEN
                    RAISE EXCEPTION 'a workitem begins QUEUED, not %', NEW.state USING ERRCODE =
                    'check_violation';
                END IF;
            ELSIF OLD.state <> NEW.state AND NOT EXISTS (
                SELECT FROM workitem_transition WHERE from_state = OLD.state AND to_state =
                NEW.state
            ) THEN
                RAISE EXCEPTION 'a workitem does not go from % to %', OLD.state, NEW.state USING
                ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_state BEFORE INSERT OR UPDATE OF state ON workitem"
        " FOR EACH ROW EXECUTE FUNCTION guard_workitem_state()"
    )
