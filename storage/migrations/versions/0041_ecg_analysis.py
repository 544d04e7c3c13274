"""Analyses of ECGs with readers' corrections; suspicions that no person has seen yet."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def _time(name: str, *, required: bool) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def _json(name: str, *, required: bool) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=not required)


def upgrade() -> None:
    """Apply the change."""
    _tasks()
    _analyses()
    _corrections()
    op.add_column("workitem", sa.Column("raised_to", sa.String(), nullable=True))
    op.alter_column("critical_value", "found_by", nullable=True)
    op.alter_column("critical_value", "found_for", nullable=True)
    op.create_check_constraint(
        op.f("ck_critical_value_found"),
        "critical_value",
        "(found_by IS NULL) = (found_for IS NULL) AND (found_by IS NOT NULL"
        " OR (rule_code IS NOT NULL AND state IN ('SUSPECTED', 'DISMISSED')))",
    )


def _tasks() -> None:
    op.create_table(
        "ecg_task",
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("analysed_generation", sa.Integer(), nullable=False),
        _time("analysed_at", required=False),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        _time("leased_until", required=False),
        _time("parked_at", required=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_ecg_task_site_id"),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name="fk_ecg_task_study_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_id", name="pk_ecg_task"),
    )
    op.create_index(
        "ix_ecg_task_due",
        "ecg_task",
        ["due_at"],
        postgresql_where=sa.text("analysed_generation < generation AND parked_at IS NULL"),
    )


def _analyses() -> None:
    op.create_table(
        "ecg_analysis",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("method_version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        _json("quality", required=False),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        _json("measurement", required=False),
        _json("triage", required=False),
        _json("critical_value_ids", required=True),
        sa.Column("thumbnail", sa.String(), nullable=True),
        _time("analysed_at", required=True),
        sa.Column("cpu_ms", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "(state = 'DONE') = (error IS NULL) AND (state <> 'DONE' OR (quality IS NOT NULL"
            " AND triage IS NOT NULL))",
            name=op.f("ck_ecg_analysis_result"),
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instance.id"], name="fk_ecg_analysis_instance_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name="fk_ecg_analysis_study_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["organisation.id"], name="fk_ecg_analysis_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ecg_analysis"),
        sa.UniqueConstraint(
            "instance_id", "method_version", name="uq_ecg_analysis_instance_id_method_version"
        ),
    )
    op.create_index("ix_ecg_analysis_study_id", "ecg_analysis", ["study_id"])


def _corrections() -> None:
    op.create_table(
        "ecg_correction",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("corrected_by", sa.Uuid(), nullable=False),
        sa.Column("corrected_for", sa.Uuid(), nullable=False),
        _time("corrected_at", required=True),
        _json("corrections", required=True),
        _json("measurement", required=True),
        _json("triage", required=True),
        sa.ForeignKeyConstraint(
            ["analysis_id"],
            ["ecg_analysis.id"],
            name="fk_ecg_correction_analysis_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["corrected_by"], ["person.id"], name="fk_ecg_correction_corrected_by"
        ),
        sa.ForeignKeyConstraint(
            ["corrected_for"], ["organisation.id"], name="fk_ecg_correction_corrected_for"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ecg_correction"),
        sa.UniqueConstraint("analysis_id", "number", name="uq_ecg_correction_analysis_id_number"),
    )
    op.create_table(
        "ecg_critical_list",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        _time("set_at", required=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_ecg_critical_list_organisation_id"
        ),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name="fk_ecg_critical_list_set_by"),
        sa.PrimaryKeyConstraint("organisation_id", name="pk_ecg_critical_list"),
    )
