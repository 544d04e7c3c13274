"""Table of the reasons for which studies of other sites were looked at."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint, func
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
    """The reason a person gave, once, for looking at other sites' studies for one reading."""

    __tablename__ = "prior_access"
    __table_args__ = (UniqueConstraint("workitem_id", "person_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    purpose: Mapped[Purpose] = mapped_column(Word(Purpose))
    note: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
