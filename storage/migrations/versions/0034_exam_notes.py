"""Notes that site and centre write to each other about an exam."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "exam_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "order_id IS NOT NULL OR study_id IS NOT NULL", name=op.f("ck_exam_note_exam")
        ),
        sa.CheckConstraint("text <> ''", name=op.f("ck_exam_note_text")),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_exam_note_site_id"),
        sa.ForeignKeyConstraint(["order_id"], ["exam_order.id"], name="fk_exam_note_order_id"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name="fk_exam_note_study_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_exam_note_person_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_exam_note_organisation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_exam_note"),
    )
    op.create_index("ix_exam_note_order_id", "exam_note", ["order_id"])
    op.create_index("ix_exam_note_study_id", "exam_note", ["study_id"])
    op.create_index("ix_exam_note_site_id", "exam_note", ["site_id", "at"])
    op.create_table(
        "exam_note_sight",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["exam_note.id"], name="fk_exam_note_sight_note_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_exam_note_sight_person_id"),
        sa.PrimaryKeyConstraint("note_id", name="pk_exam_note_sight"),
    )
    for table in ("exam_note", "exam_note_sight"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
