"""What the clock sees: studies that nobody has claimed in time, and reports that are late."""

from sqlalchemy import ColumnElement, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from reading_worklist.workitems.service import tell
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import IN_QUEUE, Workitem
from storage import audit
from storage.clock import utc_now

_CLOCK = audit.system_actor("clock")


def escalate(session: Session, *, limit: int = 200) -> int:
    """Mark up to `limit` studies unclaimed and as many late by now, once each.

    The worklist and the wall board show the mark, and it stays in the audit trail. Several
    processes may call this at once. Returns how many were marked.
    """
    now = utc_now()
    unclaimed = _due(
        session,
        (
            Workitem.state == literal(State.QUEUED.value, literal_execute=True),
            Workitem.claim_due_at <= now,
            Workitem.escalated_at.is_(None),
        ),
        Workitem.claim_due_at,
        limit,
    )
    for item in unclaimed:
        item.escalated_at = now
        _mark(session, item, "workitem:escalate")
    late = _due(
        session,
        (IN_QUEUE, Workitem.due_at <= now, Workitem.overdue_at.is_(None)),
        Workitem.due_at,
        limit,
    )
    for item in late:
        item.overdue_at = now
        _mark(session, item, "workitem:overdue")
    return len(unclaimed) + len(late)


def _due(
    session: Session,
    conditions: tuple[ColumnElement[bool], ...],
    order: InstrumentedAttribute[object],
    limit: int,
) -> list[Workitem]:
    return list(
        session.scalars(
            select(Workitem)
            .where(*conditions)
            .order_by(order)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def _mark(session: Session, item: Workitem, action: str) -> None:
    item.revision += 1
    audit.record(
        session,
        _CLOCK,
        action,
        subject_kind="workitem",
        subject_id=item.id,
        detail={
            "state": item.state.value,
            "priority": item.priority.value,
            "due_at": item.due_at.isoformat(),
            "claim_due_at": item.claim_due_at.isoformat() if item.claim_due_at else None,
        },
    )
    tell(session, item)
