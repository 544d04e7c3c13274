"""Links that show a study to somebody outside, and access in an emergency with its review."""

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "share_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("code_sha256", sa.String(), nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("with_report", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_for", sa.Uuid(), nullable=False),
        sa.Column("made_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.Column("revoked_because", sa.String(), nullable=True),
        sa.CheckConstraint("length(token_sha256) = 64", name=op.f("ck_share_link_hash")),
        sa.CheckConstraint("expires_at > made_at", name=op.f("ck_share_link_order")),
        sa.CheckConstraint("recipient <> '' AND basis <> ''", name=op.f("ck_share_link_said")),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_because IS NULL)", name=op.f("ck_share_link_revoked")
        ),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name=op.f("fk_share_link_workitem_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_share_link_study_id")),
        sa.ForeignKeyConstraint(
            ["site_id"], ["organisation.id"], name=op.f("fk_share_link_site_id")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_share_link_made_by")),
        sa.ForeignKeyConstraint(
            ["made_for"], ["organisation.id"], name=op.f("fk_share_link_made_for")
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by"], ["person.id"], name=op.f("fk_share_link_revoked_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_link")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_share_link_token_sha256")),
    )
    op.create_index("ix_share_link_workitem_id", "share_link", ["workitem_id"])
    op.create_table(
        "share_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("opened_at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.CheckConstraint("length(token_sha256) = 64", name=op.f("ck_share_visit_hash")),
        sa.ForeignKeyConstraint(
            ["link_id"], ["share_link.id"], name=op.f("fk_share_visit_link_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_visit")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_share_visit_token_sha256")),
    )
    op.create_index("ix_share_visit_link_id", "share_visit", ["link_id"])
    op.add_column(
        "prior_access",
        sa.Column("in_emergency", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "emergency_review",
        sa.Column("access_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("at", _TIME, server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["access_id"], ["prior_access.id"], name=op.f("fk_emergency_review_access_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_emergency_review_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_emergency_review_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("access_id", name=op.f("pk_emergency_review")),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON emergency_review"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.create_index(
        "ix_prior_access_in_emergency",
        "prior_access",
        ["at"],
        postgresql_where=sa.text("in_emergency"),
    )
