"""Second factors, earlier passwords, roles and identities that other providers vouch for."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

_NOW = sa.text("now()")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "person",
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "person",
        sa.Column("password_changed_at", _TIME, server_default=_NOW, nullable=False),
    )
    op.add_column("membership", sa.Column("provider", sa.String(), nullable=True))
    op.add_column("web_session", sa.Column("second_factor_at", _TIME, nullable=True))
    op.add_column("web_session", sa.Column("provider", sa.String(), nullable=True))
    op.add_column("sign_in_throttle", sa.Column("login_key", sa.String(), nullable=True))
    op.create_index("ix_sign_in_throttle_login_key", "sign_in_throttle", ["login_key"])
    op.create_table(
        "second_factor",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, server_default=_NOW, nullable=False),
        sa.Column("confirmed_at", _TIME, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_second_factor_person_id_person")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, server_default=_NOW, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id_person")
        ),
        sa.PrimaryKeyConstraint("person_id", "digest", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "earlier_password",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("replaced_at", _TIME, server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_earlier_password_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earlier_password")),
    )
    op.create_index("ix_earlier_password_person_id", "earlier_password", ["person_id"])
    op.create_table(
        "outside_identity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("registered_at", _TIME, server_default=_NOW, nullable=False),
        sa.Column("linked_at", _TIME, nullable=True),
        sa.Column("last_used_at", _TIME, nullable=True),
        sa.CheckConstraint(
            "email IS NOT NULL OR subject IS NOT NULL", name=op.f("ck_outside_identity_known")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_outside_identity_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_identity")),
        sa.UniqueConstraint("provider", "subject", name="uq_outside_identity_provider_subject"),
        sa.UniqueConstraint("provider", "email", name="uq_outside_identity_provider_email"),
        sa.UniqueConstraint("provider", "person_id", name="uq_outside_identity_provider_person_id"),
    )
    op.create_index("ix_outside_identity_person_id", "outside_identity", ["person_id"])
    op.create_table(
        "outside_sign_in",
        sa.Column("state_sha256", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("code_verifier", sa.String(), nullable=False),
        sa.Column("next_path", sa.String(), nullable=False),
        sa.Column("began_at", _TIME, server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("state_sha256", name=op.f("pk_outside_sign_in")),
    )
    op.create_index("ix_outside_sign_in_began_at", "outside_sign_in", ["began_at"])
