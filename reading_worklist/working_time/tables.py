"""Tables of working time: what a person has entered for an organisation and all below it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class CalendarDay(Base):
    """Whether one day is worked; the entry of the nearest organisation counts."""

    __tablename__ = "calendar_day"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    reason: Mapped[str]
    set_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WorkingHours(Base):
    """The hours of a working day.

    periods: pairs of local times, "HH:MM", in order.
    time_zone: IANA name of the zone they are in.
    """

    __tablename__ = "working_hours"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    time_zone: Mapped[str]
    periods: Mapped[list[list[str]]] = mapped_column(JSONB)
    set_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime] = mapped_column(server_default=func.now())
