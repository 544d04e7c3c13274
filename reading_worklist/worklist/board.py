"""The board on the wall: how long the queue is, what is late, who is on duty, what is silent."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.routing import roster
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import IN_QUEUE, Workitem
from reading_worklist.worklist.schemas import Board, LaneBoard, SilentDevice
from storage.clock import utc_now
from storage.orders.words import Priority
from storage.registry import Device, Organisation, consortium_of

SILENT_AFTER: Final = timedelta(hours=7, minutes=30)
"""Of working time: a working day, so that no device is silent for a holiday."""

_SILENT_MAX: Final = 100


def shown(session: Session, scope: Scope) -> Board:
    """Return the board of what a person sees."""
    now = utc_now()
    return Board(
        now=now,
        lanes=_lanes(session, scope, now),
        on_duty=roster.shown(session, scope, now, now),
        silent_devices=_silent(session, scope, now),
    )


def _lanes(session: Session, scope: Scope, now: datetime) -> list[LaneBoard]:
    waits = Workitem.state == State.QUEUED
    rows = session.execute(
        select(
            Workitem.lane,
            *(
                func.count().filter(waits, Workitem.urgency == urgency).label(priority)
                for urgency, priority in enumerate(Priority)
            ),
            func.min(Workitem.queued_at).filter(waits).label("oldest"),
            func.count()
            .filter(Workitem.state.in_((State.CLAIMED, State.REVIEWING)))
            .label("working"),
            func.count()
            .filter(Workitem.state.in_((State.WRITTEN, State.PRELIM_ISSUED)))
            .label("to_review"),
            func.count().filter(Workitem.due_at <= now).label("overdue"),
            func.count()
            .filter(and_(Workitem.warn_at <= now, Workitem.due_at > now))
            .label("due_soon"),
            func.count().filter(waits, Workitem.escalated_at.is_not(None)).label("unclaimed"),
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
                waiting={one: getattr(row, one) if row else 0 for one in Priority},
                oldest_queued_at=row.oldest if row else None,
                working=row.working if row else 0,
                to_review=row.to_review if row else 0,
                overdue=row.overdue if row else 0,
                due_soon=row.due_soon if row else 0,
                unclaimed=row.unclaimed if row else 0,
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
    silent = [
        (device, site)
        for device, site in rows
        if worked.after(device.heard_at or device.created_at, SILENT_AFTER) <= now
    ]
    return [
        SilentDevice(
            id=device.id,
            name=device.name,
            ae_title=device.ae_title,
            site_code=site.code,
            site_name=site.name,
            heard_at=device.heard_at,
        )
        for device, site in silent[:_SILENT_MAX]
    ]
