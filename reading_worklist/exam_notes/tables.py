"""Tables of the notes about an exam, and of who of the other side saw them first."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Word


class Side(StrEnum):
    """Who wrote a note: somebody of the site that examined, or of the centre that reads."""

    SITE = "site"
    CENTRE = "centre"


class ExamNote(Base):
    """A note about an exam. It belongs to its order, to its study, or once both are known to both.

    organisation_id: for which its author acted.
    """

    __tablename__ = "exam_note"
    __table_args__ = (
        CheckConstraint("order_id IS NOT NULL OR study_id IS NOT NULL", name="exam"),
        CheckConstraint("text <> ''", name="text"),
        Index("ix_exam_note_order_id", "order_id"),
        Index("ix_exam_note_study_id", "study_id"),
        Index("ix_exam_note_site_id", "site_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("exam_order.id"))
    study_id: Mapped[UUID | None] = mapped_column(ForeignKey("study.id"))
    side: Mapped[Side] = mapped_column(Word(Side))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    @property
    def exam_id(self) -> UUID:
        """What the notes about one exam have alike: its order, or without one its study."""
        found = self.order_id or self.study_id
        if found is None:  # the constraint "exam" forbids it
            message = "a note without an exam"
            raise ValueError(message)
        return found


class ExamNoteSight(Base):
    """Somebody of the other side saw a note, the first to do so."""

    __tablename__ = "exam_note_sight"

    note_id: Mapped[UUID] = mapped_column(ForeignKey("exam_note.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
