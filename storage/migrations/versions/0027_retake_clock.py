"""Why an exam goes back, until when its site answers, for when it is booked, and who was rung."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    for name in ("reason_code", "acknowledged_name", "acknowledged_role"):
        op.add_column("retake", sa.Column(name, sa.String(), nullable=True))
    for name in ("due_at", "overdue_at", "booked_for"):
        op.add_column("retake", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_retake_new_study_id", "retake", ["new_study_id"], unique=False)
    op.create_index(
        "ix_retake_due",
        "retake",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("overdue_at IS NULL AND state = 'REQUESTED'"),
    )
    op.create_table(
        "retake_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("retake_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("contact_name", sa.String(), nullable=False),
        sa.Column("contact_phone", sa.String(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_retake_call_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["retake_id"], ["retake.id"], name=op.f("fk_retake_call_retake_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retake_call")),
    )
    op.create_index("ix_retake_call_retake_id", "retake_call", ["retake_id"], unique=False)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON retake_call"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
