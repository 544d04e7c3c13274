"""Views that a person keeps of the worklist, and when a device last called."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("device", sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "worklist_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_worklist_view_person_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_worklist_view_organisation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_worklist_view"),
        sa.UniqueConstraint(
            "person_id",
            "organisation_id",
            "name",
            name="uq_worklist_view_person_id_organisation_id_name",
        ),
    )
