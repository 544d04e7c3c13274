"""The table of site tests that somebody asked for on the page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.attempts import Attempted
from storage.database import Base


class SiteTest(Attempted, Base):
    """One test of one site; a row is made by who asks, and filled by the gateway as it goes on.

    asked_by: None for the command line. findings: those so far, see `findings.Finding`.
    ended_at: when there was no more to look at.
    """

    __tablename__ = "site_test"
    __table_args__ = (
        Index("ix_site_test_site_id_asked_at", "site_id", "asked_at"),
        Index("ix_site_test_due", "next_attempt_at", postgresql_where=text("ended_at IS NULL")),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    ended_at: Mapped[datetime | None]
