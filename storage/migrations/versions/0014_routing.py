"""Routing: clocks, groups, roster, versions of rules, and what they give a workitem."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
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
]


def _times(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "clock_setting",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("due_minutes", sa.Integer(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("warn_minutes", sa.Integer(), nullable=False),
        sa.Column("claim_minutes", sa.Integer(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        _times("set_at"),
        sa.CheckConstraint(
            "due_minutes > 0 AND claim_minutes > 0", name="ck_clock_setting_positive"
        ),
        sa.CheckConstraint(
            "warn_minutes BETWEEN 0 AND due_minutes", name="ck_clock_setting_warning"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_clock_setting_organisation_id"
        ),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name="fk_clock_setting_set_by"),
        sa.PrimaryKeyConstraint("organisation_id", "clock", "priority", name="pk_clock_setting"),
    )
    op.create_table(
        "reading_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_reading_group_organisation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reading_group"),
        sa.UniqueConstraint(
            "organisation_id", "code", name="uq_reading_group_organisation_id_code"
        ),
    )
    op.create_table(
        "duty",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _times("created_at"),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name="ck_duty_order"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_duty_organisation_id"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_duty_person_id"),
        sa.ForeignKeyConstraint(["group_id"], ["reading_group.id"], name="fk_duty_group_id"),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name="fk_duty_created_by"),
        sa.ForeignKeyConstraint(["cancelled_by"], ["person.id"], name="fk_duty_cancelled_by"),
        sa.PrimaryKeyConstraint("id", name="pk_duty"),
    )
    op.create_index(
        "ix_duty_organisation_id_ends_at",
        "duty",
        ["organisation_id", "ends_at"],
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )
    op.create_table(
        "routing_ruleset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _times("created_at"),
        sa.Column("switched_on_by", sa.Uuid(), nullable=True),
        sa.Column("switched_on_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'DRAFT') = (switched_on_at IS NULL)", name="ck_routing_ruleset_switched_on"
        ),
        sa.CheckConstraint(
            "(switched_on_at IS NULL) = (switched_on_by IS NULL)",
            name="ck_routing_ruleset_switched_on_by",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_routing_ruleset_organisation_id"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name="fk_routing_ruleset_created_by"
        ),
        sa.ForeignKeyConstraint(
            ["switched_on_by"], ["person.id"], name="fk_routing_ruleset_switched_on_by"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_routing_ruleset"),
        sa.UniqueConstraint(
            "organisation_id", "version", name="uq_routing_ruleset_organisation_id_version"
        ),
    )
    op.create_index(
        "uq_routing_ruleset_on",
        "routing_ruleset",
        ["organisation_id"],
        unique=True,
        postgresql_where=sa.text("state = 'ON'"),
    )
    op.execute("""
        CREATE FUNCTION guard_ruleset() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.rules <> OLD.rules OR NEW.version <> OLD.version
                OR NEW.organisation_id <> OLD.organisation_id OR NEW.note <> OLD.note
            THEN
                RAISE EXCEPTION 'a version of the rules does not change'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_change BEFORE UPDATE ON routing_ruleset"
        " FOR EACH ROW EXECUTE FUNCTION guard_ruleset()"
    )
    for table in ("routing_ruleset", "duty"):
        op.execute(
            f"CREATE TRIGGER keep_rows BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    _extend_workitem()


def _extend_workitem() -> None:
    op.add_column(
        "workitem",
        sa.Column(
            "urgency",
            sa.SmallInteger(),
            sa.Computed(
                "CASE priority WHEN 'STAT' THEN 0 WHEN 'URGENT' THEN 1 ELSE 2 END", persisted=True
            ),
            nullable=False,
        ),
    )
    for name, target in (
        ("group_id", "reading_group.id"),
        ("assignee_id", "person.id"),
        ("ruleset_id", "routing_ruleset.id"),
    ):
        op.add_column("workitem", sa.Column(name, sa.Uuid(), nullable=True))
        table, _, column = target.partition(".")
        op.create_foreign_key(f"fk_workitem_{name}", "workitem", table, [name], [column])
    for name in ("assigned_for", "rule", "clock"):
        op.add_column("workitem", sa.Column(name, sa.String(), nullable=True))
    for name in ("warn_at", "claim_due_at", "escalated_at", "overdue_at"):
        op.add_column("workitem", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.drop_index("ix_workitem_open", table_name="workitem")
    for name, columns in (
        ("ix_workitem_queue", ["urgency", "due_at", "id"]),
        ("ix_workitem_queue_due", ["due_at", "id"]),
    ):
        op.create_index(
            name,
            "workitem",
            columns,
            postgresql_where=sa.text(WAITING),
            postgresql_include=SHOWN,
        )
    op.create_index(
        "ix_workitem_queued_at",
        "workitem",
        ["queued_at", "id"],
        postgresql_include=["state", "site_id", "lane"],
    )
    op.create_index("ix_workitem_state_site_id_lane", "workitem", ["state", "site_id", "lane"])
    for name, column, condition in (
        ("ix_workitem_unclaimed", "claim_due_at", "state = 'QUEUED' AND escalated_at IS NULL"),
        ("ix_workitem_late", "due_at", f"{WAITING} AND overdue_at IS NULL"),
        ("ix_workitem_assignee_id", "assignee_id", f"{WAITING} AND assignee_id IS NOT NULL"),
        ("ix_workitem_holder_id", "holder_id", "holder_id IS NOT NULL"),
    ):
        op.create_index(name, "workitem", [column], postgresql_where=sa.text(condition))
