"""The procedures that sites order are a consortium's own list; who is here has the shipped one."""

import tomllib
from importlib import resources

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "procedure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("body_part", sa.String(), nullable=False),
        sa.Column("laterality", sa.String(), nullable=False),
        sa.Column("contrast", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "laterality IN ('none', 'optional', 'required')",
            name=op.f("ck_procedure_laterality"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_procedure_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure")),
        sa.UniqueConstraint(
            "organisation_id", "code", name=op.f("uq_procedure_organisation_id_code")
        ),
    )
    file = resources.files("storage.orders").joinpath("procedures.toml")
    told = tomllib.loads(file.read_text(encoding="utf-8"))["procedure"]
    for place, one in enumerate(told):
        op.get_bind().execute(
            sa.text("""
                INSERT INTO procedure (id, organisation_id, code, modality, name, name_en,
                    body_part, laterality, contrast, position, active)
                SELECT gen_random_uuid(), id, :code, :modality, :name, :name_en, :body_part,
                    :laterality, :contrast, :position, true
                FROM organisation WHERE kind = 'consortium'
            """),
            {"laterality": "optional", "contrast": False, **one, "position": place},
        )
