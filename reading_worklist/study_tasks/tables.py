"""The columns of every table of work on studies."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base

DUE: Final = "analysed_generation < generation AND parked_at IS NULL"
"""SQL that something is to be done, for the index of a table of work."""


class StudyWork(Base):
    """Whether the newest completion of a study has been worked on; one row for each study.

    generation: the completion that is to be worked on. analysed_generation: the last that was, 0
        for none; the work is due while it is behind.
    lease_token, leased_until: who is at it; when the lease has passed, another may.
    parked_at: since when nobody tries any more, until the next completion; `last_error` says why.
    """

    __abstract__ = True

    study_id: Mapped[UUID] = mapped_column(
        ForeignKey("study.id", ondelete="CASCADE"), primary_key=True
    )
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    generation: Mapped[int]
    analysed_generation: Mapped[int] = mapped_column(default=0)
    analysed_at: Mapped[datetime | None]
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
