"""Opening a question about identity, and what holds while it is open.

While a case is open the exam is in IDENTITY_HOLD and its workitem HELD: everybody sees that it is
here, nobody can claim it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.identity.comparison import Difference
from storage.identity.tables import CaseState, IdentityCase
from storage.index.tables import Study
from storage.orders import service as orders
from storage.orders.states import ExamAction, ExamState
from storage.orders.tables import Order
from storage.orders.words import Priority

TIME_TO_DECIDE: Final = timedelta(hours=4)
TIME_TO_DECIDE_STAT: Final = timedelta(minutes=10)


def open_case_of(session: Session, study_id: UUID) -> IdentityCase | None:
    """Return the open case of a study, locked; None without one."""
    return session.scalar(
        select(IdentityCase)
        .where(IdentityCase.study_id == study_id, IdentityCase.state == CaseState.OPEN)
        .with_for_update()
    )


def time_to_decide(priority: Priority) -> timedelta:
    """Return how long a case may wait: 10 minutes for STAT, else 4 hours."""
    return TIME_TO_DECIDE_STAT if priority is Priority.STAT else TIME_TO_DECIDE


def open_case(
    session: Session,
    actor: Actor,
    study: Study,
    order: Order,
    item: Workitem,
    *,
    differences: Sequence[Difference],
    because: str | None = None,
) -> IdentityCase:
    """Ask the dispatcher about a study that has no open case, and hold exam and workitem."""
    hold(session, actor, order, item)
    now = utc_now()
    case = IdentityCase(
        study_id=study.id,
        site_id=study.site_id,
        order_id=order.id,
        state=CaseState.OPEN,
        differences=[one.to_json() for one in differences],
        opened_because=because,
        opened_at=now,
        due_at=now + time_to_decide(order.priority),
        revision=0,
    )
    session.add(case)
    session.flush()
    audit.record(
        session,
        actor,
        "identity:open",
        subject_kind="identity_case",
        subject_id=case.id,
        # What differs, never the values.
        detail={
            "study_id": str(study.id),
            "differences": [f"{one.attribute}:{one.finding}" for one in differences],
        },
    )
    tell(session, case)
    return case


def hold(session: Session, actor: Actor, order: Order, item: Workitem) -> None:
    """Put exam and workitem on hold."""
    if order.state is not ExamState.IDENTITY_HOLD:
        orders.move(session, actor, order, ExamAction.HOLD)
    workitems.withhold(session, item, actor)


def tell(session: Session, case: IdentityCase) -> None:
    """Tell open pages that a case changed."""
    events.publish(
        session,
        events.Event("identity", case.site_id, {"id": str(case.id), "state": case.state.value}),
    )
