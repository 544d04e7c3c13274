"""Critical values with their clock, and a guard of states that any machine may use."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# The pairs of reading_worklist.critical_values.states at this revision; a test compares the two.
CRITICAL_VALUE_CHANGES = (
    ("SUSPECTED", "CONFIRMED"),
    ("SUSPECTED", "DISMISSED"),
    ("CONFIRMED", "NOTIFYING"),
    ("NOTIFYING", "ESCALATED"),
    ("NOTIFYING", "ACKED"),
    ("NOTIFYING", "DISMISSED"),
    ("ESCALATED", "ACKED"),
    ("ESCALATED", "DISMISSED"),
    ("ACKED", "ACTIONED"),
    ("ACTIONED", "CLOSED"),
)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "critical_value_transition",
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint(
            "from_state", "to_state", name=op.f("pk_critical_value_transition")
        ),
    )
    op.create_table(
        "critical_clock",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("second_contact", sa.Integer(), nullable=False),
        sa.Column("duty_head", sa.Integer(), nullable=False),
        sa.Column("director", sa.Integer(), nullable=False),
        sa.Column("action", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 < second_contact AND second_contact < duty_head AND duty_head < director AND"
            " director <= 60 AND action BETWEEN 1 AND 240",
            name=op.f("ck_critical_clock_order"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_critical_clock_organisation_id")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_critical_clock_set_by")),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_critical_clock")),
    )
    op.create_table(
        "critical_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.CheckConstraint("step BETWEEN 0 AND 3", name=op.f("ck_critical_contact_step")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_critical_contact_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_critical_contact")),
        sa.UniqueConstraint(
            "site_id", "step", "position", name=op.f("uq_critical_contact_site_id_step_position")
        ),
    )
    op.create_table(
        "critical_value",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("ruleset", sa.String(), nullable=True),
        sa.Column("rule_code", sa.String(), nullable=True),
        sa.Column("found_by", sa.Uuid(), nullable=False),
        sa.Column("found_for", sa.Uuid(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_alone", sa.Boolean(), nullable=False),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_name", sa.String(), nullable=True),
        sa.Column("acknowledged_role", sa.String(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_back", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("actioned_name", sa.String(), nullable=True),
        sa.Column("actioned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_by", sa.Uuid(), nullable=True),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissal_reason", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'DISMISSED') = (dismissed_by IS NOT NULL) AND (state <> 'DISMISSED' OR"
            " dismissal_reason <> '')",
            name=op.f("ck_critical_value_dismissed"),
        ),
        sa.CheckConstraint(
            "state IN ('SUSPECTED', 'DISMISSED') OR confirmed_by IS NOT NULL",
            name=op.f("ck_critical_value_confirmed"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('ACKED', 'ACTIONED', 'CLOSED') OR (acknowledged_at IS NOT NULL AND"
            " acknowledged_name <> '' AND acknowledged_role <> '' AND read_back <> '')",
            name=op.f("ck_critical_value_acknowledged"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('ACTIONED', 'CLOSED') OR (actioned_at IS NOT NULL AND action <> '' AND"
            " actioned_name <> '')",
            name=op.f("ck_critical_value_actioned"),
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> found_by OR confirmed_alone",
            name=op.f("ck_critical_value_two_people"),
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["person.id"], name=op.f("fk_critical_value_acknowledged_by")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["person.id"], name=op.f("fk_critical_value_closed_by")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["person.id"], name=op.f("fk_critical_value_confirmed_by")
        ),
        sa.ForeignKeyConstraint(
            ["dismissed_by"], ["person.id"], name=op.f("fk_critical_value_dismissed_by")
        ),
        sa.ForeignKeyConstraint(
            ["found_by"], ["person.id"], name=op.f("fk_critical_value_found_by")
        ),
        sa.ForeignKeyConstraint(
            ["found_for"], ["organisation.id"], name=op.f("fk_critical_value_found_for")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["person.id"], name=op.f("fk_critical_value_recorded_by")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_critical_value_site_id")
        ),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name=op.f("fk_critical_value_workitem_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_critical_value")),
    )
    op.create_index(
        "ix_critical_value_next_at",
        "critical_value",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(
        "ix_critical_value_site_id_found_at",
        "critical_value",
        ["site_id", "found_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_critical_value_workitem_id"), "critical_value", ["workitem_id"], unique=False
    )
    op.create_table(
        "critical_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("critical_value_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("contact_name", sa.String(), nullable=True),
        sa.Column("contact_phone", sa.String(), nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["critical_value_id"],
            ["critical_value.id"],
            name=op.f("fk_critical_notice_critical_value_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_critical_notice_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_critical_notice")),
    )
    op.create_index(
        "ix_critical_notice_critical_value_id",
        "critical_notice",
        ["critical_value_id"],
        unique=False,
    )
    op.create_index(
        "uq_critical_notice_step",
        "critical_notice",
        ["critical_value_id", "kind", "step"],
        unique=True,
        postgresql_where=sa.text("kind <> 'call'"),
    )
    op.bulk_insert(
        sa.table("critical_value_transition", sa.column("from_state"), sa.column("to_state")),
        [{"from_state": before, "to_state": after} for before, after in CRITICAL_VALUE_CHANGES],
    )
    # Its arguments: the table of the allowed changes, and the state in which a row begins.
    op.execute("""
        CREATE FUNCTION guard_state_change() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            allowed boolean;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> TG_ARGV[1] THEN
                    RAISE EXCEPTION '% begins %, not %', TG_TABLE_NAME, TG_ARGV[1], NEW.state
                        USING ERRCODE = 'check_violation';
                END IF;
            ELSIF OLD.state <> NEW.state THEN
                EXECUTE format(
                    'SELECT EXISTS (SELECT FROM %I WHERE from_state = $1 AND to_state = $2)',
                    TG_ARGV[0]
                ) INTO allowed USING OLD.state, NEW.state;
                IF NOT allowed THEN
                    RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.state, NEW.state
                        USING ERRCODE = 'check_violation';
                END IF;
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_state BEFORE INSERT OR UPDATE OF state ON critical_value"
        " FOR EACH ROW EXECUTE FUNCTION"
        " guard_state_change('critical_value_transition', 'SUSPECTED')"
    )
    op.execute(
        "CREATE TRIGGER keep_rows BEFORE DELETE ON critical_value"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON critical_notice"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
