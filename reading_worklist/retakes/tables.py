"""Tables of retakes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.retakes.states import RetakeKind, RetakeReason, RetakeState
from storage.database import Base, Word
from storage.orders.words import Priority


class Retake(Base):
    """One exam that has to be made again, tied to the study that cannot be used and to the new one.

    order_id: the exam; its own state says that it is being retaken.
    reason_code: by the list; none on what was sent back before there was a list.
    called_name, called_phone: who was rung; a STAT exam is not sent back without a call.
    due_at: until when the site is to say what it will do; none on what is older than the clock.
    overdue_at: when the clock found that it has not.
    acknowledged_by: somebody of the site; or who of the centre took it down by telephone, then
        acknowledged_name and acknowledged_role say from whom.
    booked_for: when the site will make it again.
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
        Index("ix_retake_new_study_id", "new_study_id"),
        Index(
            "ix_retake_due",
            "due_at",
            postgresql_where=text("overdue_at IS NULL AND state = 'REQUESTED'"),
        ),
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
    reason_code: Mapped[RetakeReason | None] = mapped_column(Word(RetakeReason))
    reason: Mapped[str]
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    requested_at: Mapped[datetime]
    called_name: Mapped[str | None]
    called_phone: Mapped[str | None]
    due_at: Mapped[datetime | None]
    overdue_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    acknowledged_at: Mapped[datetime | None]
    acknowledged_name: Mapped[str | None]
    acknowledged_role: Mapped[str | None]
    answer: Mapped[str | None]
    booked_for: Mapped[datetime | None]
    new_study_id: Mapped[UUID | None] = mapped_column(ForeignKey("study.id"))
    received_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)


class RetakeCall(Base):
    """Somebody of the site was rung because of a retake, whether or not he answered; only added."""

    __tablename__ = "retake_call"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    retake_id: Mapped[UUID] = mapped_column(ForeignKey("retake.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    contact_name: Mapped[str]
    contact_phone: Mapped[str]
    answered: Mapped[bool]
    note: Mapped[str | None]


class RetakeTransition(Base):
    """The pairs of states a retake may change between.

    The database's own guard reads it; only migrations write it.
    """

    __tablename__ = "retake_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)
