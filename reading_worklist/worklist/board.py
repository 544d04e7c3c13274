"""The board on the wall: how long the queue is, what is late, who is on duty, what is silent."""

from collections import Counter
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
    # One aggregate for each kind: counting it into a column of each lane's takes three times as
    # long, as every column looks at every row.
    rows = session.execute(
        select(
            Workitem.lane,
            Workitem.state,
            Workitem.urgency,
            func.count().label("number"),
            func.count(Workitem.escalated_at).label("escalated"),
            func.min(Workitem.queued_at).label("oldest"),
            func.count().filter(Workitem.due_at <= now).label("overdue"),
            func.count()
            .filter(and_(Workitem.warn_at <= now, Workitem.due_at > now))
            .label("due_soon"),
        )
        .where(IN_QUEUE, scope.sees(Workitem.site_id))
        .group_by(Workitem.lane, Workitem.state, Workitem.urgency)
    ).all()
    boards: list[LaneBoard] = []
    for lane in Lane:
        found = [row for row in rows if row.lane is lane]
        states = Counter[State]()
        for row in found:
            states[row.state] += row.number
        waiting = {row.urgency: row for row in found if row.state is State.QUEUED}
        boards.append(
            LaneBoard(
                lane=lane,
                waiting={
                    priority: Waiting(
                        count=row.number if row else 0,
                        late=row.escalated if row else 0,
                        oldest_queued_at=row.oldest if row else None,
                    )
                    for priority, row in (
                        (one, waiting.get(number)) for number, one in enumerate(Priority)
                    )
                },
                working=states[State.CLAIMED] + states[State.REVIEWING],
                to_review=states[State.WRITTEN] + states[State.PRELIM_ISSUED],
                held=states[State.HELD],
                overdue=sum(row.overdue for row in found),
                due_soon=sum(row.due_soon for row in found),
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
