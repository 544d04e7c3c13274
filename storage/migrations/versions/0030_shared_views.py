"""Views of the worklist that are shared, and how each person likes the list."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "worklist_view",
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("worklist_view", sa.Column("group_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_worklist_view_group_id"), "worklist_view", "reading_group", ["group_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_worklist_view_group_shared"), "worklist_view", "shared OR group_id IS NULL"
    )
    op.create_table(
        "worklist_preference",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("default_view_id", sa.Uuid(), nullable=True),
        sa.Column("columns", sa.ARRAY(sa.String()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["default_view_id"],
            ["worklist_view.id"],
            name=op.f("fk_worklist_preference_default_view_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_worklist_preference_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_worklist_preference_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "organisation_id", name="pk_worklist_preference"),
    )
