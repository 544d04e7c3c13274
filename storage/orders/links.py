"""Which study answers which order: tied, and untied again without a trace on the order."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.index.tables import Study
from storage.orders import service
from storage.orders.states import ExamAction, ExamState, next_state
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import MatchedBy, OrderSource

_SUPERSEDED = "the study belongs to another order"


def order_of_study(session: Session, study_id: object) -> Order | None:
    """Return the order that a study answers, locked; None when it is not settled yet."""
    return session.scalar(
        select(Order)
        .join(StudyOrder, StudyOrder.order_id == Order.id)
        .where(StudyOrder.study_id == study_id)
        .with_for_update(of=Order)
    )


def link(session: Session, actor: Actor, study: Study, order: Order, matched_by: MatchedBy) -> None:
    """Let `study` answer `order` from now on; what it answered before must be untied."""
    session.execute(
        insert(StudyOrder).values(study_id=study.id, order_id=order.id, matched_by=matched_by)
    )
    if order.source is OrderSource.HEADER and order.state is ExamState.CANCELLED:
        order.cancelled_at = None
        order.cancellation_reason = None
        service.move(session, actor, order, ExamAction.REINSTATE)
    audit.record(
        session,
        actor,
        "order:link",
        subject_kind="order",
        subject_id=order.id,
        detail={"study_id": str(study.id), "matched_by": matched_by},
    )


def unlink(session: Session, actor: Actor, study: Study) -> None:
    """Untie a study from its order, which then waits for its own study as it did before.

    An order made from the study's header is cancelled, since nobody else has asked for it.
    """
    order = order_of_study(session, study.id)
    if order is None:
        return
    session.execute(delete(StudyOrder).where(StudyOrder.study_id == study.id))
    audit.record(
        session,
        actor,
        "order:unlink",
        subject_kind="order",
        subject_id=order.id,
        detail={"study_id": str(study.id)},
    )
    if studies_of(session, order):
        return
    order.missing_instances = 0
    if next_state(order.state, ExamAction.UNLINK) is not None:
        service.move(session, actor, order, ExamAction.UNLINK)
    if order.source is OrderSource.HEADER:
        order.cancelled_at = utc_now()
        order.cancellation_reason = _SUPERSEDED
    if order.cancelled_at is not None:
        service.move(session, actor, order, ExamAction.CANCEL)
        return
    if order.checked_in_at is not None:
        service.move(session, actor, order, ExamAction.CHECK_IN)
    if order.acquired_at is not None:
        service.move(session, actor, order, ExamAction.ACQUIRE)


def studies_of(session: Session, order: Order) -> int:
    """Count the studies that answer an order."""
    counted = session.scalar(
        select(func.count()).select_from(StudyOrder).where(StudyOrder.order_id == order.id)
    )
    return counted or 0
