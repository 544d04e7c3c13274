"""The roster: who reads what, from when to when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.routing.groups import group_by_code
from reading_worklist.routing.readers import reads_for
from reading_worklist.routing.schemas import DutyBody, DutyView, RosterCopyBody
from reading_worklist.routing.tables import Duty, ReadingGroup
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.schemas import GroupName, PersonView
from storage import audit
from storage.clock import utc_now
from storage.registry import Organisation, Person, Role, consortium_of

EDITORS: Final = (Role.DISPATCHER, Role.CONSORTIUM_ADMIN)
_LONGEST: Final = timedelta(days=31)
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty; `group` is a code, None for the whole lane."""

    person_id: UUID
    lane: Lane
    group: str | None
    starts_at: datetime
    ends_at: datetime


def duties(
    session: Session, organisation_id: UUID, first: datetime, last: datetime
) -> list[OnDuty]:
    """Return what of a consortium's roster lies between two times, by its beginning."""
    rows = session.execute(
        select(Duty, ReadingGroup.code)
        .join(ReadingGroup, ReadingGroup.id == Duty.group_id, isouter=True)
        .where(*_between(organisation_id, first, last))
        .order_by(Duty.starts_at, Duty.id)
    ).all()
    return [
        OnDuty(one.person_id, one.lane, group, one.starts_at, one.ends_at) for one, group in rows
    ]


def groups_on_duty(roster: Sequence[OnDuty], at: datetime) -> frozenset[str]:
    """Return the codes of the groups of which somebody is on duty at a time."""
    return frozenset(
        one.group for one in roster if one.group is not None and one.starts_at <= at < one.ends_at
    )


def shown(session: Session, scope: Scope, first: datetime, last: datetime) -> list[DutyView]:
    """Return the roster of the asker's consortium between two times, by its beginning."""
    organisation_id = consortium_of(session, scope.organisation_id).id
    rows = session.execute(
        select(Duty, Person, ReadingGroup)
        .join(Person, Person.id == Duty.person_id)
        .join(ReadingGroup, ReadingGroup.id == Duty.group_id, isouter=True)
        .where(*_between(organisation_id, first, last))
        .order_by(Duty.starts_at, Duty.id)
    ).all()
    return [_view(*row) for row in rows]


def add(session: Session, scope: Scope, body: DutyBody) -> Duty:
    """Put somebody on the roster.

    Raises:
        Problem: 403 without the role; 404 for a person who does not read for the consortium, or a
            group of another lane; 422 when it ends before it begins or lasts over a month.
    """
    scope.require(*EDITORS)
    organisation_id = consortium_of(session, scope.organisation_id).id
    if not timedelta(0) < body.ends_at - body.starts_at <= _LONGEST:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "duty-times",
            "A duty ends after it begins, and within a month",
            expected=f"an end at most {_LONGEST.days} days after the beginning",
            remedy="Correct the times.",
        )
    if not reads_for(session, body.person_id, organisation_id):
        raise not_found("The reader")
    group = group_by_code(session, organisation_id, body.group) if body.group else None
    if group is not None and group.lane is not body.lane:
        raise not_found("The group in this lane")
    duty = Duty(
        organisation_id=organisation_id,
        person_id=body.person_id,
        lane=body.lane,
        group_id=group.id if group else None,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        created_by=scope.person_id,
    )
    session.add(duty)
    session.flush()
    _record(session, scope, "duty:add", duty)
    return duty


def copy_week(session: Session, scope: Scope, body: RosterCopyBody) -> int:
    """Repeat the roster of the seven days before `body.first_day` in the seven days from it on.

    At the same local times; what is there already, or would be over, and whoever does not read for
    the consortium any more, is left out. Returns how many duties were added.

    Raises:
        Problem: 403 without the role.
    """
    scope.require(*EDITORS)
    organisation_id = consortium_of(session, scope.organisation_id).id
    zone = working_time(session, organisation_id).zone
    first = datetime.combine(body.first_day, time(), zone)
    # One roster is copied by one person at a time, or a second one would double it.
    session.execute(
        select(Organisation.id).where(Organisation.id == organisation_id).with_for_update()
    )
    known = {
        tuple(row)
        for row in session.execute(
            select(Duty.person_id, Duty.lane, Duty.group_id, Duty.starts_at).where(
                *_between(organisation_id, first, first + 2 * _WEEK)
            )
        )
    }
    added = 0
    for one in session.scalars(
        select(Duty)
        .where(
            Duty.organisation_id == organisation_id,
            Duty.cancelled_at.is_(None),
            Duty.starts_at >= first - _WEEK,
            Duty.starts_at < first,
        )
        .order_by(Duty.starts_at, Duty.id)
    ).all():
        starts_at, ends_at = _week_later(one.starts_at, zone), _week_later(one.ends_at, zone)
        if (
            (one.person_id, one.lane, one.group_id, starts_at) in known
            or ends_at <= utc_now()
            or not reads_for(session, one.person_id, organisation_id)
        ):
            continue
        duty = Duty(
            organisation_id=organisation_id,
            person_id=one.person_id,
            lane=one.lane,
            group_id=one.group_id,
            starts_at=starts_at,
            ends_at=ends_at,
            created_by=scope.person_id,
        )
        session.add(duty)
        session.flush()
        _record(session, scope, "duty:add", duty)
        added += 1
    return added


def cancel(session: Session, scope: Scope, duty_id: UUID) -> None:
    """Take a duty off the roster.

    Raises:
        Problem: 403 without the role; 404 when there is none; 409 when it is over already.
    """
    scope.require(*EDITORS)
    duty = session.scalar(
        select(Duty)
        .where(
            Duty.id == duty_id,
            Duty.organisation_id == consortium_of(session, scope.organisation_id).id,
            Duty.cancelled_at.is_(None),
        )
        .with_for_update()
    )
    if duty is None:
        raise not_found("The duty")
    if duty.ends_at <= utc_now():
        raise conflict(
            "duty-over",
            "The duty is over, and stays on the roster as it was",
            remedy="Enter the right one beside it.",
        )
    duty.cancelled_at = utc_now()
    duty.cancelled_by = scope.person_id
    _record(session, scope, "duty:cancel", duty)


def _between(
    organisation_id: UUID, first: datetime, last: datetime
) -> tuple[ColumnElement[bool], ...]:
    return (
        Duty.organisation_id == organisation_id,
        Duty.cancelled_at.is_(None),
        Duty.ends_at > first,
        Duty.starts_at <= last,
    )


def _week_later(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the same local time a week later, whatever the clocks do in between."""
    return (moment.astimezone(zone) + _WEEK).astimezone(UTC)


def _view(duty: Duty, person: Person, group: ReadingGroup | None) -> DutyView:
    return DutyView(
        id=duty.id,
        person=PersonView(id=person.id, display_name=person.display_name),
        lane=duty.lane,
        group=GroupName(code=group.code, name=group.name, name_en=group.name_en) if group else None,
        starts_at=duty.starts_at,
        ends_at=duty.ends_at,
    )


def _record(session: Session, scope: Scope, action: str, duty: Duty) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="duty",
        subject_id=duty.id,
        detail={
            "person": str(duty.person_id),
            "lane": duty.lane,
            "from": duty.starts_at.isoformat(),
            "to": duty.ends_at.isoformat(),
        },
    )
