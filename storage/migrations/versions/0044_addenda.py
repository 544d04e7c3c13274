"""An addendum is a kind of its own: text that is added to a report which stays as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    for table in ("report_draft", "report_submission"):
        op.add_column(table, sa.Column("addendum", sa.String(), server_default="", nullable=False))
    op.add_column(
        "report_amendment",
        sa.Column("kind", sa.String(), server_default="change", nullable=False),
    )
    op.drop_constraint(op.f("ck_report_recall_why"), "report_recall")
    op.create_check_constraint(
        op.f("ck_report_recall_why"),
        "report_recall",
        "(kind IN ('superseded', 'supplemented')) = (replaced_by IS NOT NULL)"
        " AND (kind = 'revoked') = (revocation_id IS NOT NULL)",
    )
