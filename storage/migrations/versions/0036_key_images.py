"""Images chosen for a report."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "key_image",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("frame_number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("window_center", sa.Float(), nullable=True),
        sa.Column("window_width", sa.Float(), nullable=True),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("frame_number > 0 AND position >= 0", name=op.f("ck_key_image_counts")),
        sa.CheckConstraint(
            "(window_center IS NULL) = (window_width IS NULL) AND window_width > 0",
            name=op.f("ck_key_image_window"),
        ),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name=op.f("fk_key_image_workitem_id")
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
            name=op.f("fk_key_image_instance_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_key_image_added_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_image")),
        sa.UniqueConstraint(
            "workitem_id",
            "instance_id",
            "frame_number",
            name=op.f("uq_key_image_workitem_id_instance_id_frame_number"),
        ),
    )
    op.create_index(op.f("ix_key_image_instance_id"), "key_image", ["instance_id"])
