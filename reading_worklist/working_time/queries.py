"""What is known of an organisation's working time."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.working_time.days import Basis, WorkCalendar, is_published
from reading_worklist.working_time.hours import DEFAULT_PERIODS, Period, WorkingTime
from reading_worklist.working_time.schemas import DayView, PeriodView, WorkingTimeView
from reading_worklist.working_time.tables import CalendarDay, WorkingHours
from storage.clock import utc_now
from storage.registry import Role, lineage

DEFAULT_ZONE: Final = ZoneInfo("Asia/Shanghai")
_PAST: Final = timedelta(days=40)


def working_time(
    session: Session, organisation_id: UUID, *, since: date | None = None
) -> WorkingTime:
    """Return when an organisation works.

    Its own entries come before those of the organisations above it.

    since: the first day that is asked about; forty days ago when not given.
    """
    line = [one.id for one in lineage(session, organisation_id)]
    hours = _hours(session, line)
    first = since or utc_now().date() - _PAST
    return WorkingTime(
        zone=ZoneInfo(hours.time_zone) if hours else DEFAULT_ZONE,
        calendar=WorkCalendar({one.day: one.working for one in _entries(session, line, first)}),
        periods=_periods(hours),
    )


def shown(session: Session, scope: Scope, year: int) -> WorkingTimeView:
    """Return the working time of the centre of whoever asks, with the days of one year."""
    line = [one.id for one in lineage(session, scope.organisation_id)]
    hours = _hours(session, line)
    first = date(year, 1, 1)
    entries = {one.day: one for one in _entries(session, line, first, date(year, 12, 31))}
    calendar = WorkCalendar({day: one.working for day, one in entries.items()})
    days = (first + timedelta(days=number) for number in range(366))
    return WorkingTimeView(
        time_zone=hours.time_zone if hours else DEFAULT_ZONE.key,
        periods=[PeriodView(opens=one.opens, closes=one.closes) for one in _periods(hours)],
        year=year,
        published=is_published(first),
        days=[
            DayView(
                day=day,
                working=calendar.is_working_day(day),
                basis=calendar.basis(day),
                reason=entries[day].reason if day in entries else None,
            )
            for day in days
            if day.year == year and calendar.basis(day) is not Basis.WEEKDAY
        ],
        can_edit=Role.CONSORTIUM_ADMIN in scope.roles,
    )


def _entries(
    session: Session, line: Sequence[UUID], first: date, last: date = date.max
) -> list[CalendarDay]:
    """Return the entries of a line of organisations, the nearest one's last for each day."""
    found = session.scalars(
        select(CalendarDay).where(
            CalendarDay.organisation_id.in_(line), CalendarDay.day.between(first, last)
        )
    ).all()
    return sorted(found, key=lambda one: -line.index(one.organisation_id))


def _hours(session: Session, line: Sequence[UUID]) -> WorkingHours | None:
    found = session.scalars(
        select(WorkingHours).where(WorkingHours.organisation_id.in_(line))
    ).all()
    return min(found, key=lambda one: line.index(one.organisation_id), default=None)


def _periods(hours: WorkingHours | None) -> tuple[Period, ...]:
    if hours is None:
        return DEFAULT_PERIODS
    return tuple(
        Period(time.fromisoformat(opens), time.fromisoformat(closes))
        for opens, closes in hours.periods
    )
