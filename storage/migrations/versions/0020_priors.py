"""Agreements, links between patients, and the reasons for looking at other sites' studies."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "agreement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name="ck_agreement_order"
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ck_agreement_ended"),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["organisation.id"], name="fk_agreement_provider_id"
        ),
        sa.ForeignKeyConstraint(["client_id"], ["organisation.id"], name="fk_agreement_client_id"),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name="fk_agreement_made_by"),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name="fk_agreement_ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement"),
    )
    op.create_index("ix_agreement_client_id", "agreement", ["client_id", "service"])
    op.create_table(
        "patient_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("one_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("linked_by", sa.Uuid(), nullable=False),
        sa.Column(
            "linked_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_because", sa.String(), nullable=True),
        sa.CheckConstraint("one_id < other_id", name="ck_patient_link_pair"),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL)"
            " AND (undone_at IS NULL) = (undone_because IS NULL)",
            name="ck_patient_link_undone",
        ),
        sa.ForeignKeyConstraint(["one_id"], ["patient.id"], name="fk_patient_link_one_id"),
        sa.ForeignKeyConstraint(["other_id"], ["patient.id"], name="fk_patient_link_other_id"),
        sa.ForeignKeyConstraint(["linked_by"], ["person.id"], name="fk_patient_link_linked_by"),
        sa.ForeignKeyConstraint(["undone_by"], ["person.id"], name="fk_patient_link_undone_by"),
        sa.PrimaryKeyConstraint("id", name="pk_patient_link"),
    )
    op.create_index(
        "uq_patient_link_pair",
        "patient_link",
        ["one_id", "other_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index(
        "ix_patient_link_other_id",
        "patient_link",
        ["other_id"],
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "prior_access",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name="fk_prior_access_workitem_id"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_prior_access_person_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_prior_access_organisation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_prior_access"),
        sa.UniqueConstraint(
            "workitem_id", "person_id", name="uq_prior_access_workitem_id_person_id"
        ),
    )
    op.create_index(
        "ix_exam_order_document_number",
        "exam_order",
        ["document_number"],
        postgresql_where=sa.text("document_number IS NOT NULL"),
    )
    for table in ("agreement", "patient_link"):
        op.execute(
            f"CREATE TRIGGER keep_rows BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON prior_access"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
