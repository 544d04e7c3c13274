"""Who belongs to a group of readers, and how much each of them may have open."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("reading_group", sa.Column("open_limit", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_reading_group_open_limit"), "reading_group", "open_limit > 0"
    )
    op.create_table(
        "reading_group_member",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["reading_group.id"], name="fk_reading_group_member_group_id"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_reading_group_member_person_id"
        ),
        sa.PrimaryKeyConstraint("group_id", "person_id", name="pk_reading_group_member"),
    )
