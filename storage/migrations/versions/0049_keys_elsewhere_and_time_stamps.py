"""Keys kept elsewhere, locks that grow, time stamps of reports, lists of revoked certificates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_FIXED = """
    (NEW.id, NEW.person_id, NEW.serial, NEW.certificate_chain_pem, NEW.not_before, NEW.not_after,
     NEW.created_at, NEW.provider, NEW.sealed_key, NEW.key_derivation, NEW.key_place)
    IS DISTINCT FROM
    (OLD.id, OLD.person_id, OLD.serial, OLD.certificate_chain_pem, OLD.not_before, OLD.not_after,
     OLD.created_at, OLD.provider, OLD.sealed_key, OLD.key_derivation, OLD.key_place)
"""


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "signing_credential",
        sa.Column("provider", sa.String(), server_default="sealed", nullable=False),
    )
    op.add_column("signing_credential", sa.Column("key_place", postgresql.JSONB(), nullable=True))
    op.alter_column("signing_credential", "sealed_key", nullable=True)
    op.alter_column("signing_credential", "key_derivation", nullable=True)
    op.create_check_constraint(
        op.f("ck_signing_credential_provider"),
        "signing_credential",
        "provider IN ('sealed', 'token', 'service')",
    )
    op.create_check_constraint(
        op.f("ck_signing_credential_key_somewhere"),
        "signing_credential",
        "CASE provider WHEN 'sealed' THEN sealed_key IS NOT NULL AND key_derivation IS NOT NULL"
        " AND key_place IS NULL ELSE sealed_key IS NULL AND key_derivation IS NULL"
        " AND key_place IS NOT NULL END",
    )
    op.execute(f"""
        CREATE OR REPLACE FUNCTION refuse_other_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {_FIXED}
               OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
            THEN
                RAISE EXCEPTION 'a certificate is issued and revoked once and never changed'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            IF NEW.failed_attempts > OLD.failed_attempts AND (
                NEW.failed_attempts > OLD.failed_attempts + 1
                OR OLD.locked_until > now()
                OR (NEW.failed_attempts % 5 = 0
                    AND (NEW.locked_until IS NULL OR NEW.locked_until <= now()))
            ) THEN
                RAISE EXCEPTION 'attempts are counted one by one, and every fifth locks the key'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.create_table(
        "revocation_list",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("this_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_revocation_list")),
    )
    op.create_table(
        "report_time_stamp",
        sa.Column("original_sha256", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pdf_sha256", sa.String(), nullable=False),
        sa.Column("pdf_object_key", sa.String(), nullable=True),
        sa.Column("stamped_by", sa.String(), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shortfall", sa.String(), server_default="", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(number = 1) = (pdf_object_key IS NULL)"
            " AND (number = 1) = (pdf_sha256 = original_sha256)",
            name=op.f("ck_report_time_stamp_first_is_the_original"),
        ),
        sa.PrimaryKeyConstraint("original_sha256", "number", name=op.f("pk_report_time_stamp")),
        sa.UniqueConstraint("pdf_sha256", name=op.f("uq_report_time_stamp_pdf_sha256")),
    )
    op.create_index("ix_report_time_stamp_ends_at", "report_time_stamp", ["ends_at"])
    op.create_index(
        "ix_report_time_stamp_shortfall",
        "report_time_stamp",
        ["created_at"],
        postgresql_where=sa.text("shortfall <> ''"),
    )
    for table in ("revocation_list", "report_time_stamp"):
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
