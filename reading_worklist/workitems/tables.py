"""Tables of the worklist."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.workitems.states import State
from storage.database import Base, Word
from storage.orders.words import Priority


class Lane(StrEnum):
    """Which doctors read it."""

    IMAGING = "imaging"
    ECG = "ecg"


class Workitem(Base):
    """One study to be read, the unit of the queue (UPS, PS3.4 Annex CC).

    study_generation: the completion of the study that was last taken over; `late_instances`
        is set when a later one came after somebody had begun to read.
    holder_id, lease_until: the writer or reviewer who holds it now, and until when without work on
        it.
    revision: grows with every change, so that a page can tell a stale view.
    """

    __tablename__ = "workitem"
    __table_args__ = (
        CheckConstraint(
            "(state IN ('CLAIMED', 'REVIEWING')) = (holder_id IS NOT NULL)", name="holder"
        ),
        CheckConstraint("(holder_id IS NULL) = (lease_until IS NULL)", name="lease"),
        Index(
            "ix_workitem_open",
            "due_at",
            postgresql_where=text("state NOT IN ('FINAL', 'PUBLISHED', 'DELIVERED')"),
        ),
        Index("ix_workitem_site_id_queued_at", "site_id", "queued_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    lane: Mapped[Lane] = mapped_column(Word(Lane))
    priority: Mapped[Priority] = mapped_column(Word(Priority))
    state: Mapped[State] = mapped_column(Word(State), default=State.QUEUED)
    study_generation: Mapped[int]
    late_instances: Mapped[bool] = mapped_column(default=False)
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime]
    writer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    holder_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    lease_until: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    finalised_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)


class WorkitemTransition(Base):
    """The pairs of states a workitem may change between.

    The database's own guard reads it; only migrations write it.
    """

    __tablename__ = "workitem_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)


def event_data(item: Workitem) -> dict[str, Any]:
    """Return what pages are told when a workitem changed."""
    return {"id": str(item.id), "state": item.state, "lane": item.lane}
