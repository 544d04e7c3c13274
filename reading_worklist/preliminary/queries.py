"""Which preliminary reports wait for their final review, within the scope of who asks."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.preliminary.schemas import PreliminaryPage, PreliminaryView
from reading_worklist.workitems.queries import beside, line_for, rows
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now

PAGE_SIZE_MAX: Final = 200


def listed(session: Session, scope: Scope, *, page: int, page_size: int) -> PreliminaryPage:
    """Return one page of the preliminary reports without a final one, the first due first."""
    conditions = (
        scope.sees(Workitem.site_id),
        Workitem.preliminary_at.is_not(None),
        Workitem.finalised_at.is_(None),
        Workitem.state != State.REVOKED,
    )
    now = utc_now()
    total, late = session.execute(
        select(func.count(), func.count().filter(Workitem.due_at <= now)).where(*conditions)
    ).one()
    found = session.execute(
        rows()
        .where(*conditions)
        .order_by(Workitem.due_at, Workitem.id)
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    shown = beside(session, scope, found)
    return PreliminaryPage(
        items=[
            PreliminaryView(
                workitem=line_for(scope, row, shown),
                issued_at=row[0].preliminary_at or row[0].queued_at,
                due_at=row[0].due_at,
                late=row[0].due_at <= now,
            )
            for row in found
        ],
        total=total,
        late=late,
        page=page,
        page_size=page_size,
    )
