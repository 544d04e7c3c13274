"""Tables of retakes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.retakes.states import RetakeKind, RetakeState
from storage.database import Base, Word
from storage.orders.words import Priority


class Retake(Base):
    """One exam that has to be made again, tied to the study that cannot be used and to the new one.

    order_id: the exam; its own state says that it is being retaken.
    called_name, called_phone: who was rung; a STAT exam is not sent back without a call.
    new_study_id: what came in its place; the same study when it was completed.
    """

    __tablename__ = "retake"
    __table_args__ = (
        Index(
            "uq_retake_waiting",
            "study_id",
            unique=True,
            postgresql_where=text("state IN ('REQUESTED', 'ACKNOWLEDGED')"),
        ),
        Index("ix_retake_site_id_requested_at", "site_id", "requested_at"),
        CheckConstraint(
            "priority <> 'STAT' OR (called_name <> '' AND called_phone <> '')", name="called"
        ),
        CheckConstraint(
            "(state IN ('RECEIVED', 'CLOSED')) = (new_study_id IS NOT NULL)", name="received"
        ),
        CheckConstraint("state <> 'ACKNOWLEDGED' OR acknowledged_by IS NOT NULL", name="known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"), index=True)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("exam_order.id"), index=True)
    kind: Mapped[RetakeKind] = mapped_column(Word(RetakeKind))
    state: Mapped[RetakeState] = mapped_column(Word(RetakeState))
    priority: Mapped[Priority] = mapped_column(Word(Priority))
    reason: Mapped[str]
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    requested_at: Mapped[datetime]
    called_name: Mapped[str | None]
    called_phone: Mapped[str | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    acknowledged_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    new_study_id: Mapped[UUID | None] = mapped_column(ForeignKey("study.id"))
    received_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)


class RetakeTransition(Base):
    """The pairs of states a retake may change between.

    The database's own guard reads it; only migrations write it.
    """

    __tablename__ = "retake_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)
