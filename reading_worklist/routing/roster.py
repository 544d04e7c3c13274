"""The roster: who reads what, from when to when; and the groups that studies are read in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.routing.schemas import DutyBody, DutyView, GroupBody, GroupView
from reading_worklist.routing.tables import Duty, ReadingGroup
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.schemas import PersonView
from storage import audit
from storage.clock import utc_now
from storage.registry import (
    Membership,
    Organisation,
    Person,
    Role,
    consortium_of,
    holds_today,
)

EDITORS: Final = (Role.DISPATCHER, Role.CONSORTIUM_ADMIN)
READERS: Final = (Role.WRITER, Role.REVIEWER, Role.EXPERT)
_LONGEST: Final = timedelta(days=31)


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


def groups(session: Session, scope: Scope) -> list[GroupView]:
    """Return the groups of the asker's consortium by lane and code."""
    rows = session.scalars(
        select(ReadingGroup)
        .where(ReadingGroup.organisation_id == consortium_of(session, scope.organisation_id).id)
        .order_by(ReadingGroup.lane, ReadingGroup.code)
    )
    return [GroupView.model_validate(one, from_attributes=True) for one in rows]


def set_group(session: Session, scope: Scope, code: str, body: GroupBody) -> None:
    """Make a group, or change its names and whether it is used.

    Raises:
        Problem: 403 without the role, 409 when the lane of a known group would change.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    group = session.scalar(
        select(ReadingGroup)
        .where(ReadingGroup.organisation_id == organisation_id, ReadingGroup.code == code)
        .with_for_update()
    )
    if group is None:
        group = ReadingGroup(organisation_id=organisation_id, code=code, lane=body.lane)
        session.add(group)
    elif group.lane is not body.lane:
        raise conflict(
            "group-lane",
            "A group stays in its lane",
            expected=group.lane,
            found=body.lane,
            remedy="Make another group.",
        )
    group.name, group.name_en, group.active = body.name, body.name_en, body.active
    session.flush()
    audit.record(
        session,
        scope.actor,
        "reading_group:set",
        subject_kind="reading_group",
        subject_id=group.id,
        detail={"code": code, **body.model_dump(mode="json")},
    )


def group_by_code(session: Session, organisation_id: UUID, code: str) -> ReadingGroup:
    """Return a group in use.

    Raises:
        Problem: 404 when there is none.
    """
    found = session.scalar(
        select(ReadingGroup).where(
            ReadingGroup.organisation_id == organisation_id,
            ReadingGroup.code == code,
            ReadingGroup.active,
        )
    )
    if found is None:
        raise not_found(f"The group {code!r}")
    return found


def reads_for(
    session: Session, person_id: UUID, organisation_id: UUID, roles: Sequence[Role] = READERS
) -> bool:
    """Tell whether a person has one of these roles today at a consortium or a centre of it."""
    found = session.scalar(
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Person.id == person_id,
            Person.active,
            Membership.role.in_(roles),
            holds_today(),
            or_(Organisation.id == organisation_id, Organisation.parent_id == organisation_id),
        )
        .limit(1)
    )
    return found is not None


def _between(
    organisation_id: UUID, first: datetime, last: datetime
) -> tuple[ColumnElement[bool], ...]:
    return (
        Duty.organisation_id == organisation_id,
        Duty.cancelled_at.is_(None),
        Duty.ends_at > first,
        Duty.starts_at <= last,
    )


def _view(duty: Duty, person: Person, group: ReadingGroup | None) -> DutyView:
    return DutyView(
        id=duty.id,
        person=PersonView(id=person.id, display_name=person.display_name),
        lane=duty.lane,
        group=GroupView.model_validate(group, from_attributes=True) if group else None,
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
