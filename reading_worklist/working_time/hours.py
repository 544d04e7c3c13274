"""Working hours as pure functions: what is due after so many of them."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reading_worklist.working_time.days import WorkCalendar
from storage.errors import RdcError

_LOOK_AHEAD_DAYS: Final = 366


class NoWorkingTime(RdcError):
    """A calendar has no working time within a year."""


@dataclass(frozen=True, slots=True)
class Period:
    """A part of a working day, from `opens` until before `closes`, in local time."""

    opens: time
    closes: time


DEFAULT_PERIODS: Final = (Period(time(8), time(12)), Period(time(14), time(17, 30)))


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """When an organisation works.

    periods: of each working day; in order, apart from each other, at least one.
    """

    zone: ZoneInfo
    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    periods: tuple[Period, ...] = DEFAULT_PERIODS

    def after(self, start: datetime, worked: timedelta) -> datetime:
        """Return the moment, in UTC, at which `worked` has been worked since `start`.

        Nothing to work is done at `start`, even at night.

        Raises:
            NoWorkingTime: the calendar does not have so much in the next year.
        """
        left = worked
        if not left:
            return start.astimezone(UTC)
        for opens, closes in self._spans(start):
            begins = max(opens, start)
            if closes <= begins:
                continue
            if begins + left <= closes:
                return begins + left
            left -= closes - begins
        raise _nothing_worked()

    def next_working_day_at(self, start: datetime, at: time) -> datetime:
        """Return the local time `at`, in UTC, of the first working day that opens after `start`.

        Work of the night before a working day is thus due on that day.

        Raises:
            NoWorkingTime: no day of the next year is worked.
        """
        for day in self._working_days(start):
            if self._moment(day, self.periods[0].opens) > start:
                return self._moment(day, at)
        raise _nothing_worked()

    def is_working(self, moment: datetime) -> bool:
        """Tell whether it is worked at `moment`."""
        local = moment.astimezone(self.zone)
        if not self.calendar.is_working_day(local.date()):
            return False
        return any(one.opens <= local.time() < one.closes for one in self.periods)

    def _working_days(self, start: datetime) -> Generator[date]:
        first = start.astimezone(self.zone).date()
        for number in range(_LOOK_AHEAD_DAYS):
            day = first + timedelta(days=number)
            if self.calendar.is_working_day(day):
                yield day

    def _spans(self, start: datetime) -> Generator[tuple[datetime, datetime]]:
        for day in self._working_days(start):
            for period in self.periods:
                yield self._moment(day, period.opens), self._moment(day, period.closes)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)


def _nothing_worked() -> NoWorkingTime:
    return NoWorkingTime(
        "the calendar has too little working time in the next year",
        expected="a working day",
        remedy="Remove entries of days that are not worked.",
    )
