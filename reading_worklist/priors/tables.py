"""Tables of the reasons for which studies of other sites were looked at, and of what was opened."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, func, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Word


class Purpose(StrEnum):
    """Why studies of another site are needed."""

    COMPARISON = "comparison"
    EMERGENCY = "emergency"
    CONSULTATION = "consultation"
    RECOGNITION = "recognition"
    QUALITY = "quality"
    OTHER = "other"


class PriorAccess(Base):
    """Why a person looks at other sites' studies of a patient, and until when that stands.

    workitem_id: the reading at which it was said.
    in_emergency: it holds for sites that show nothing by agreement too; somebody reviews it.
    """

    __tablename__ = "prior_access"
    __table_args__ = (
        CheckConstraint("until > at", name="order"),
        Index("ix_prior_access_patient_id", "patient_id", "person_id"),
        Index("ix_prior_access_in_emergency", "at", postgresql_where=text("in_emergency")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    purpose: Mapped[Purpose] = mapped_column(Word(Purpose))
    note: Mapped[str]
    in_emergency: Mapped[bool] = mapped_column(server_default=false(), default=False)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    until: Mapped[datetime]


class Verdict(StrEnum):
    """What a review finds of an access in an emergency."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


class EmergencyReview(Base):
    """What the auditor found of an access in an emergency; it is said once."""

    __tablename__ = "emergency_review"

    access_id: Mapped[UUID] = mapped_column(ForeignKey("prior_access.id"), primary_key=True)
    verdict: Mapped[Verdict] = mapped_column(Word(Verdict))
    note: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class PriorOpening(Base):
    """A person opened the images of an earlier study at a reading; only then are they served."""

    __tablename__ = "prior_opening"
    __table_args__ = (Index("ix_prior_opening_workitem_id", "workitem_id", "person_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
