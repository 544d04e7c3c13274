"""The keys that people sign with; what a certificate says never changes afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "signing_credential",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("certificate_chain_pem", sa.String(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("key_derivation", sa.String(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revocation_reason", sa.String(), nullable=True),
        sa.Column("failed_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("not_before < not_after", name=op.f("ck_signing_credential_validity")),
        sa.CheckConstraint(
            "failed_attempts >= 0", name=op.f("ck_signing_credential_failed_attempts")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_signing_credential_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_credential")),
        sa.UniqueConstraint("serial", name=op.f("uq_signing_credential_serial")),
    )
    op.create_index(op.f("ix_signing_credential_person_id"), "signing_credential", ["person_id"])
    op.create_index(
        "uq_signing_credential_live",
        "signing_credential",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.execute("""
        CREATE FUNCTION refuse_other_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (NEW.id, NEW.person_id, NEW.serial, NEW.certificate_chain_pem, NEW.not_before,
                NEW.not_after, NEW.created_at)
               IS DISTINCT FROM
               (OLD.id, OLD.person_id, OLD.serial, OLD.certificate_chain_pem, OLD.not_before,
                OLD.not_after, OLD.created_at)
               OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
            THEN
                RAISE EXCEPTION 'a certificate is issued and revoked once and never changed'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER certificate_fixed BEFORE UPDATE ON signing_credential"
        " FOR EACH ROW EXECUTE FUNCTION refuse_other_certificate()"
    )
    op.execute(
        "CREATE TRIGGER certificate_kept BEFORE DELETE ON signing_credential"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Undo the change."""
    op.execute("DROP TABLE signing_credential")
    op.execute("DROP FUNCTION refuse_other_certificate()")
