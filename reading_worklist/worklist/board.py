"""The board on the wall: how long the queue is, what is late, who is on duty, what is silent."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values.states import OPEN as CRITICAL_OPEN
from reading_worklist.critical_values.states import CriticalState
from reading_worklist.critical_values.tables import CriticalValue
from reading_worklist.routing import roster
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routes import CENTRE_ROLES
from reading_worklist.workitems.schemas import GroupName
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import IN_QUEUE, Workitem
from reading_worklist.worklist.schemas import (
    Board,
    CriticalBoard,
    LaneBoard,
    OnDuty,
    SilentDevice,
    Waiting,
)
from storage.clock import utc_now
from storage.orders.words import Priority
from storage.registry import Device, Organisation, consortium_of

SILENT_AFTER: Final = timedelta(hours=7, minutes=30)
"""Of working time: a working day, so that no device is silent for a holiday."""

UNANSWERED: Final = (
    CriticalState.SUSPECTED,
    CriticalState.CONFIRMED,
    CriticalState.NOTIFYING,
    CriticalState.ESCALATED,
)
"""Nobody at the site has read it back yet."""

_SILENT_MAX: Final = 100


def shown(session: Session, scope: Scope) -> Board:
    """Return the board of what a person sees."""
    now = utc_now()
    silent = _silent(session, scope, now)
    return Board(
        now=now,
        organisation_name=scope.organisation_name,
        organisation_name_en=scope.organisation_name_en,
        lanes=_lanes(session, scope, now),
        critical_values=_critical(session, scope),
        on_duty=_on_duty(session, scope, now),
        silent=len(silent),
        silent_devices=silent[:_SILENT_MAX],
    )


def _on_duty(session: Session, scope: Scope, now: datetime) -> list[OnDuty]:
    named = not scope.roles.isdisjoint(CENTRE_ROLES)
    return [
        OnDuty(
            name=one.person.display_name if named else None,
            lane=one.lane,
            group=GroupName.model_validate(one.group, from_attributes=True) if one.group else None,
            ends_at=one.ends_at,
        )
        for one in roster.shown(session, scope, now, now)
    ]


def _critical(session: Session, scope: Scope) -> CriticalBoard:
    unanswered = CriticalValue.state.in_(UNANSWERED)
    row = session.execute(
        select(
            func.count().label("open"),
            func.count().filter(unanswered).label("unanswered"),
            func.min(CriticalValue.found_at).filter(unanswered).label("oldest"),
        ).where(CriticalValue.state.in_(CRITICAL_OPEN), scope.sees(CriticalValue.site_id))
    ).one()
    return CriticalBoard(open=row.open, unanswered=row.unanswered, oldest_found_at=row.oldest)


def _lanes(session: Session, scope: Scope, now: datetime) -> list[LaneBoard]:
    waits = Workitem.state == State.QUEUED
    rows = session.execute(
        select(
            Workitem.lane,
            *(
                column
                for urgency, priority in enumerate(Priority)
                for column in (
                    func.count().filter(waits, Workitem.urgency == urgency).label(priority),
                    func.min(Workitem.queued_at)
                    .filter(waits, Workitem.urgency == urgency)
                    .label(f"{priority}_oldest"),
                    func.count()
                    .filter(waits, Workitem.urgency == urgency, Workitem.escalated_at.is_not(None))
                    .label(f"{priority}_late"),
                )
            ),
            func.count()
            .filter(Workitem.state.in_((State.CLAIMED, State.REVIEWING)))
            .label("working"),
            func.count()
            .filter(Workitem.state.in_((State.WRITTEN, State.PRELIM_ISSUED)))
            .label("to_review"),
            func.count().filter(Workitem.state == State.HELD).label("held"),
            func.count().filter(Workitem.due_at <= now).label("overdue"),
            func.count()
            .filter(and_(Workitem.warn_at <= now, Workitem.due_at > now))
            .label("due_soon"),
        )
        .where(IN_QUEUE, scope.sees(Workitem.site_id))
        .group_by(Workitem.lane)
    ).all()
    found = {row.lane: row for row in rows}
    boards: list[LaneBoard] = []
    for lane in Lane:
        row = found.get(lane)
        boards.append(
            LaneBoard(
                lane=lane,
                waiting={
                    one: Waiting(
                        count=getattr(row, one) if row else 0,
                        late=getattr(row, f"{one}_late") if row else 0,
                        oldest_queued_at=getattr(row, f"{one}_oldest") if row else None,
                    )
                    for one in Priority
                },
                working=row.working if row else 0,
                to_review=row.to_review if row else 0,
                held=row.held if row else 0,
                overdue=row.overdue if row else 0,
                due_soon=row.due_soon if row else 0,
            )
        )
    return boards


def _silent(session: Session, scope: Scope, now: datetime) -> list[SilentDevice]:
    worked = working_time(session, consortium_of(session, scope.organisation_id).id)
    rows = session.execute(
        select(Device, Organisation)
        .join(Organisation, Organisation.id == Device.site_id)
        .where(Device.active, scope.sees(Device.site_id))
        .order_by(Device.heard_at.nulls_first(), Device.ae_title)
    ).all()
    return [
        SilentDevice(
            id=device.id,
            name=device.name,
            ae_title=device.ae_title,
            site_code=site.code,
            site_name=site.name,
            site_name_en=site.name_en,
            heard_at=device.heard_at,
        )
        for device, site in rows
        if worked.after(device.heard_at or device.created_at, SILENT_AFTER) <= now
    ]
