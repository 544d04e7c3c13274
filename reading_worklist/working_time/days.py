"""Which days are worked.

The State Council names the holidays of a year, and the weekends that are worked for them (调休), in
the autumn before; the package `chinese_calendar` has what was published. Of later years only
weekdays are known, and what a person has entered. An entry comes before everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, cast

from chinese_calendar import constants

_HOLIDAYS: Final = cast("Mapping[date, str]", constants.holidays)
_WORKED_WEEKENDS: Final = cast("Mapping[date, str]", constants.workdays)
_SATURDAY: Final = 5

FIRST_PUBLISHED: Final = date(min(_HOLIDAYS).year, 1, 1)
LAST_PUBLISHED: Final = date(max(_HOLIDAYS).year, 12, 31)
"""Between these days, both included, statutory holidays are known."""


class Basis(StrEnum):
    """Why a day is worked or not: entered by a person, a published holiday, or its weekday."""

    ENTRY = "entry"
    STATUTORY = "statutory"
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The days of one organisation; `entries` say of single days whether they are worked."""

    entries: Mapping[date, bool] = field(default_factory=dict[date, bool])

    def is_working_day(self, day: date) -> bool:
        """Tell whether `day` is worked."""
        entered = self.entries.get(day)
        if entered is not None:
            return entered
        if day in _WORKED_WEEKENDS:
            return True
        return day.weekday() < _SATURDAY and day not in _HOLIDAYS

    def basis(self, day: date) -> Basis:
        """Tell what `is_working_day` goes by."""
        if day in self.entries:
            return Basis.ENTRY
        if day in _WORKED_WEEKENDS or day in _HOLIDAYS:
            return Basis.STATUTORY
        return Basis.WEEKDAY


def is_published(day: date) -> bool:
    """Tell whether the statutory holidays of the day's year are known."""
    return FIRST_PUBLISHED <= day <= LAST_PUBLISHED
