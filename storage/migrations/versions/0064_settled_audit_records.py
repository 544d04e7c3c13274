"""What seals the audit trail waits for those who write it, without the right to change a record.

LOCK TABLE wants more rights than the roles of the application have on a table that is only added
to. A function of the tables' owner takes this one lock, and tells nothing but a number.
"""

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.execute(
        """
        CREATE FUNCTION rdc_settled_audit_record() RETURNS bigint LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
          LOCK TABLE audit_record IN SHARE MODE;
          RETURN (SELECT max(id) FROM audit_record);
        END $$
        """
    )


def downgrade() -> None:
    """Take the change back."""
    op.execute("DROP FUNCTION rdc_settled_audit_record()")
