"""Working time as the API gives and takes it."""

from datetime import date, time
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, WithJsonSchema, field_validator, model_validator

from reading_worklist.working_time.days import Basis

# JSON Schema's "time" has an offset from UTC, which an opening hour must not have.
LocalTime = Annotated[time, WithJsonSchema({"type": "string", "format": "time-local"})]


class PeriodView(BaseModel):
    """A part of a working day in local time; it ends before midnight and after it began."""

    opens: LocalTime
    closes: LocalTime

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.opens >= self.closes:
            message = "closes must be later than opens on the same day"
            raise ValueError(message)
        return self


class HoursBody(BaseModel):
    """The hours of a working day, and the IANA name of their zone."""

    time_zone: Annotated[str, Field(max_length=64)] = "Asia/Shanghai"
    periods: Annotated[list[PeriodView], Field(min_length=1, max_length=6)]

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = "not an IANA time zone"
            raise ValueError(message) from error
        return name

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for one, other in zip(self.periods, self.periods[1:], strict=False):
            if other.opens < one.closes:
                message = "periods must be in order and apart from each other"
                raise ValueError(message)
        return self


class DayBody(BaseModel):
    """Whether a day is worked, and why it is entered."""

    working: bool
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class DayView(BaseModel):
    """A day that differs from its weekday, or that somebody entered; `reason` of an entry."""

    day: date
    working: bool
    basis: Basis
    reason: str | None


class WorkingTimeView(BaseModel):
    """When the centre works.

    days: of the year asked for, those that need naming, by date.
    published: whether the statutory holidays of that year are known; if not, only entries are.
    """

    time_zone: str
    periods: list[PeriodView]
    year: int
    published: bool
    days: list[DayView]
    can_edit: bool
