"""Working time over HTTP: people of the centre look, consortium administrators enter."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from reading_worklist.services import Asking, Parts
from reading_worklist.working_time import queries, service
from reading_worklist.working_time.schemas import DayBody, HoursBody, WorkingTimeView
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.clock import utc_now

router = APIRouter(prefix="/api/working-time", tags=["working time"])

_Year = Annotated[int | None, Query(ge=2004, le=2200)]


@router.get("")
def get_working_time(scope: Asking, services: Parts, year: _Year = None) -> WorkingTimeView:
    """Return hours and special days of a year, this one when not given."""
    scope.require(*CENTRE_ROLES)
    with services.database.transaction() as session:
        return queries.shown(session, scope, year or utc_now().year)


@router.put("/hours")
def set_working_hours(body: HoursBody, scope: Asking, services: Parts) -> WorkingTimeView:
    """Set the hours of every working day."""
    with services.database.transaction() as session:
        service.set_hours(session, scope, body)
        session.flush()
        return queries.shown(session, scope, utc_now().year)


@router.put("/days/{day}")
def set_calendar_day(day: date, body: DayBody, scope: Asking, services: Parts) -> WorkingTimeView:
    """Enter whether a day is worked, whatever was published."""
    with services.database.transaction() as session:
        service.set_day(session, scope, day, body)
        session.flush()
        return queries.shown(session, scope, day.year)


@router.delete("/days/{day}", status_code=HTTPStatus.OK)
def remove_calendar_day(day: date, scope: Asking, services: Parts) -> WorkingTimeView:
    """Take the entry of a day back."""
    with services.database.transaction() as session:
        service.remove_day(session, scope, day)
        session.flush()
        return queries.shown(session, scope, day.year)
