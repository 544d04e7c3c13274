"""Working hours over the real holidays of 2025 and 2026, and a person's entries."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from reading_worklist.problems import Problem
from reading_worklist.working_time import queries, service
from reading_worklist.working_time.days import Basis, WorkCalendar, is_published
from reading_worklist.working_time.hours import NoWorkingTime, Period, WorkingTime
from reading_worklist.working_time.schemas import DayBody, HoursBody, PeriodView
from storage.database import Database
from storage.registry import Role, add_person
from tests.support.scopes import scope_of
from tests.support.seed import Consortium, password_hash

ZONE = ZoneInfo("Asia/Shanghai")
CENTRE = WorkingTime(ZONE)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        # Within a morning, and over the break at noon.
        ("2026-11-23 08:30", 3, "2026-11-23 11:30"),
        ("2026-11-23 11:00", 2, "2026-11-23 15:00"),
        # Six hours from an afternoon end on the next morning.
        ("2026-11-23 16:00", 6, "2026-11-24 14:30"),
        # A weekend, and a night before a working day.
        ("2026-11-20 17:00", 1, "2026-11-23 08:30"),
        ("2026-11-23 02:00", 6, "2026-11-23 16:00"),
        # Exactly at the end of the day, not at the next one's beginning.
        ("2026-11-23 14:00", 3.5, "2026-11-23 17:30"),
        # National Day 2025: 1 to 8 October off; the Sunday before, 28 September, is worked.
        ("2025-09-27 10:00", 6, "2025-09-28 16:00"),
        ("2025-09-30 16:30", 6, "2025-10-09 15:00"),
        # Saturday 11 October 2025 is worked for it.
        ("2025-10-10 16:30", 2, "2025-10-11 09:00"),
        ("2025-10-11 17:00", 1, "2025-10-13 08:30"),
        # Spring Festival 2026: 15 to 23 February off, Saturdays 14 and 28 worked.
        ("2026-02-14 16:30", 6, "2026-02-24 15:00"),
        ("2026-02-27 17:00", 1, "2026-02-28 08:30"),
        # Into a year of which nothing is published yet: only weekends are known.
        ("2026-12-31 17:00", 1, "2027-01-01 08:30"),
    ],
)
def test_due_after_working_hours(start: str, hours: float, due: str) -> None:
    assert CENTRE.after(local(start), timedelta(hours=hours)) == local(due)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-11-23 09:00", "2026-11-24 12:00"),
        ("2026-11-23 02:00", "2026-11-23 12:00"),
        ("2026-11-20 22:00", "2026-11-23 12:00"),
        ("2025-09-30 23:00", "2025-10-09 12:00"),
        ("2025-09-27 23:00", "2025-09-28 12:00"),
        ("2026-02-14 12:30", "2026-02-24 12:00"),
    ],
)
def test_noon_of_the_next_working_day(start: str, due: str) -> None:
    assert CENTRE.next_working_day_at(local(start), time(12)) == local(due)


def test_times_are_utc_and_no_work_is_due_at_once() -> None:
    start = local("2026-11-21 03:00")
    assert CENTRE.after(start, timedelta(0)) == start
    assert CENTRE.after(start, timedelta(hours=1)).tzinfo is UTC


def test_an_entry_comes_before_what_was_published() -> None:
    calendar = WorkCalendar({date(2027, 1, 1): False, date(2026, 10, 1): True})
    centre = WorkingTime(ZONE, calendar)
    assert centre.after(local("2026-12-31 17:00"), timedelta(hours=1)) == local("2027-01-04 08:30")
    assert calendar.is_working_day(date(2026, 10, 1))
    assert calendar.basis(date(2026, 10, 1)) is Basis.ENTRY
    assert calendar.basis(date(2026, 10, 10)) is Basis.STATUTORY
    assert calendar.basis(date(2026, 11, 23)) is Basis.WEEKDAY
    assert is_published(date(2026, 12, 31))
    assert not is_published(date(2027, 1, 1))


def test_working_hours_have_a_begin_that_counts_and_an_end_that_does_not() -> None:
    assert CENTRE.is_working(local("2026-11-23 08:00"))
    assert not CENTRE.is_working(local("2026-11-23 12:00"))
    assert not CENTRE.is_working(local("2026-11-22 09:00"))
    assert CENTRE.is_working(local("2026-02-28 09:00"))


def test_a_calendar_that_is_never_worked_is_refused_instead_of_searched_for_ever() -> None:
    first = date(2026, 1, 1)
    off = WorkCalendar({first + timedelta(days=n): False for n in range(800)})
    with pytest.raises(NoWorkingTime):
        WorkingTime(ZONE, off).after(local("2026-01-01 09:00"), timedelta(hours=1))
    with pytest.raises(NoWorkingTime):
        WorkingTime(ZONE, off).next_working_day_at(local("2026-01-01 09:00"), time(12))


def test_what_an_administrator_enters_counts_for_every_site_until_it_is_taken_back(
    database: Database, consortium: Consortium
) -> None:
    with database.transaction() as session:
        add_person(
            session,
            "admin",
            "马管理",
            password_hash(),
            organisation=consortium.root,
            roles=(Role.CONSORTIUM_ADMIN,),
        )
    admin = scope_of(database, "admin")
    day = date(2027, 10, 1)
    with database.transaction() as session:
        service.set_day(session, admin, day, DayBody(working=False, reason="国庆节"))
        service.set_hours(
            session, admin, HoursBody(periods=[PeriodView(opens=time(9), closes=time(17))])
        )
    with database.transaction() as session:
        of_site = queries.working_time(session, consortium.east.id)
        shown = queries.shown(session, scope_of(database, "writer"), 2027)
    assert not of_site.calendar.is_working_day(day)
    assert of_site.periods == (Period(time(9), time(17)),)
    assert [(one.day, one.working, one.reason) for one in shown.days] == [(day, False, "国庆节")]
    assert (shown.published, shown.can_edit) == (False, False)
    with database.transaction() as session:
        service.remove_day(session, admin, day)
    with database.transaction() as session:
        assert queries.working_time(session, consortium.east.id).calendar.is_working_day(day)
        with pytest.raises(Problem, match="does not exist"):
            service.remove_day(session, admin, day)
        with pytest.raises(Problem, match="Your role"):
            service.set_day(
                session,
                scope_of(database, "writer"),
                day,
                DayBody(working=False, reason="x"),
            )
