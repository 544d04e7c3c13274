"""Entering working time; each function works in its caller's transaction with its audit record."""

from datetime import date

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.working_time.schemas import DayBody, HoursBody
from reading_worklist.working_time.tables import CalendarDay, WorkingHours
from storage import audit
from storage.clock import utc_now
from storage.registry import Role, consortium_of


def set_day(session: Session, scope: Scope, day: date, body: DayBody) -> None:
    """Enter for the whole consortium whether a day is worked.

    Raises:
        Problem: 403 for anybody but a consortium administrator.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    session.merge(
        CalendarDay(
            organisation_id=organisation_id,
            day=day,
            working=body.working,
            reason=body.reason,
            set_by=scope.person_id,
            set_at=utc_now(),
        )
    )
    audit.record(
        session,
        scope.actor,
        "calendar:set_day",
        subject_kind="calendar_day",
        subject_id=f"{organisation_id}/{day}",
        detail={"working": body.working, "reason": body.reason},
    )


def remove_day(session: Session, scope: Scope, day: date) -> None:
    """Take the entry of a day back: what was published, or its weekday, counts again.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 without an entry.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    entry = session.get(CalendarDay, (organisation_id, day), with_for_update=True)
    if entry is None:
        raise not_found("The entry")
    session.delete(entry)
    audit.record(
        session,
        scope.actor,
        "calendar:remove_day",
        subject_kind="calendar_day",
        subject_id=f"{organisation_id}/{day}",
        detail={"working": entry.working, "reason": entry.reason},
    )


def set_hours(session: Session, scope: Scope, body: HoursBody) -> None:
    """Set the hours of every working day of the consortium.

    Raises:
        Problem: 403 for anybody but a consortium administrator.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    periods = [
        [one.opens.isoformat("minutes"), one.closes.isoformat("minutes")] for one in body.periods
    ]
    session.merge(
        WorkingHours(
            organisation_id=organisation_id,
            time_zone=body.time_zone,
            periods=periods,
            set_by=scope.person_id,
            set_at=utc_now(),
        )
    )
    audit.record(
        session,
        scope.actor,
        "calendar:set_hours",
        subject_kind="organisation",
        subject_id=organisation_id,
        detail={"time_zone": body.time_zone, "periods": periods},
    )
