"""A reason for other sites' studies stands for a patient and for a time; openings are recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.drop_constraint("uq_prior_access_workitem_id_person_id", "prior_access", type_="unique")
    op.add_column("prior_access", sa.Column("patient_id", sa.Uuid(), nullable=True))
    op.add_column("prior_access", sa.Column("until", sa.DateTime(timezone=True), nullable=True))
    op.execute("ALTER TABLE prior_access DISABLE TRIGGER append_only")
    op.execute("""
        UPDATE prior_access SET patient_id = study.patient_id, until = at + interval '12 hours'
        FROM workitem JOIN study ON study.id = workitem.study_id
        WHERE workitem.id = prior_access.workitem_id
    """)
    op.execute("ALTER TABLE prior_access ENABLE TRIGGER append_only")
    op.alter_column("prior_access", "patient_id", nullable=False)
    op.alter_column("prior_access", "until", nullable=False)
    op.create_foreign_key(
        "fk_prior_access_patient_id", "prior_access", "patient", ["patient_id"], ["id"]
    )
    op.create_check_constraint(op.f("ck_prior_access_order"), "prior_access", "until > at")
    op.create_index("ix_prior_access_patient_id", "prior_access", ["patient_id", "person_id"])
    op.create_table(
        "prior_opening",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workitem_id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workitem_id"], ["workitem.id"], name="fk_prior_opening_workitem_id"
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name="fk_prior_opening_study_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_prior_opening_person_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_prior_opening_organisation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_prior_opening"),
    )
    op.create_index("ix_prior_opening_workitem_id", "prior_opening", ["workitem_id", "person_id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON prior_opening"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
