"""Where each state of the table begins, as SQL: one `Select` or more for each rule.

The condition of a partial index stands in each as literal text, since a planner compares words: so
what is stuck is read from indexes that hold little else, at any number of exams.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    Uuid,
    cast,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from reading_worklist.ledger.stuck import LOOKED_BACK, Stuck
from reading_worklist.portal.finding import STANDS, Kind, on_its_way
from reading_worklist.reports.recall_clocks import RecallStep
from reading_worklist.reports.tables import RecallRecipient, ReportRecall
from reading_worklist.retakes.states import RetakeState
from reading_worklist.retakes.tables import Retake
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import IN_QUEUE, Workitem
from storage.database import one_of
from storage.deliveries import Delivery, DeliveryQueue
from storage.identity.tables import IdentityCase
from storage.index.tables import Study
from storage.orders.states import ExamState
from storage.orders.tables import AWAITED, Order, ScheduledStep, StudyOrder

Part: TypeAlias = Select[str, UUID, str, datetime, UUID]
SiteColumn: TypeAlias = InstrumentedAttribute[UUID]

_ORDERS_LOOKED_BACK: Final = timedelta(days=90)
"""No order is scheduled further ahead; those of patients who never came are cancelled by nobody."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a rule is asked.

    sees: the condition that a row's site is shown. cutoff: what began then or before is too long.
    ids: only these exams of the rule's kind; None: any.
    """

    sees: Callable[[SiteColumn], ColumnElement[bool]]
    now: datetime
    cutoff: datetime
    ids: Sequence[UUID] | None


def _words(condition: str) -> ColumnElement[bool]:
    return literal_column(condition, Boolean())


def _part(
    ask: Ask,
    rule: Stuck,
    exam_id: InstrumentedAttribute[UUID],
    since: ColumnElement[datetime] | InstrumentedAttribute[datetime],
    subject: InstrumentedAttribute[UUID] | None = None,
) -> Part:
    found = select(
        literal(KINDS[rule].value).label("kind"),
        exam_id.label("id"),
        literal(rule.value).label("rule"),
        since.label("since"),
        (cast(null(), Uuid()) if subject is None else subject).label("subject"),
    ).where(since <= ask.cutoff)
    return found if ask.ids is None else found.where(one_of(exam_id, ask.ids))


def _order(ask: Ask, rule: Stuck, state: ExamState, since: ColumnElement[datetime]) -> Part:
    return _part(ask, rule, Order.id, since).where(
        _words(f"exam_order.{AWAITED}"),
        Order.state == state,
        Order.requested_at >= ask.now - _ORDERS_LOOKED_BACK,
        ask.sees(Order.site_id),
        ~select(Study.id).where(on_its_way()).exists(),
    )


def _not_checked_in(ask: Ask) -> Part:
    scheduled = (
        select(func.min(ScheduledStep.scheduled_at))
        .where(ScheduledStep.order_id == Order.id)
        .scalar_subquery()
    )
    found = _order(ask, Stuck.NOT_CHECKED_IN, ExamState.REQUESTED, scheduled)
    return found.where(scheduled >= ask.now - LOOKED_BACK)


def _not_examined(ask: Ask) -> Part:
    since = func.coalesce(Order.checked_in_at, Order.requested_at)
    return _order(ask, Stuck.NOT_EXAMINED, ExamState.CHECKED_IN, since)


def _not_sent(ask: Ask) -> Part:
    since = func.coalesce(Order.acquired_at, Order.requested_at)
    return _order(ask, Stuck.NOT_SENT, ExamState.ACQUIRED, since)


def _not_complete(ask: Ask) -> Part:
    queued = select(Workitem.id).where(Workitem.study_id == Study.id).exists()
    return _part(ask, Stuck.NOT_COMPLETE, Study.id, Study.quiet_due_at).where(
        _words("study.state = 'RECEIVING'"), ask.sees(Study.site_id), ~queued
    )


def _missing(ask: Ask) -> Part:
    since = func.coalesce(Study.completed_at, Workitem.queued_at)
    return (
        _part(ask, Stuck.MISSING, Workitem.id, since)
        .join_from(Order, StudyOrder, StudyOrder.order_id == Order.id)
        .join(Study, Study.id == StudyOrder.study_id)
        .join(Workitem, Workitem.study_id == Study.id)
        .where(
            _words("exam_order.missing_instances > 0"), IN_QUEUE, ~STANDS, ask.sees(Order.site_id)
        )
    )


def _identity(ask: Ask) -> Part:
    return (
        _part(ask, Stuck.IDENTITY, Workitem.id, IdentityCase.opened_at)
        .join_from(IdentityCase, Workitem, Workitem.study_id == IdentityCase.study_id)
        .where(
            _words("identity_case.state = 'OPEN'"),
            IdentityCase.due_at <= ask.now,
            ask.sees(IdentityCase.site_id),
        )
    )


def _retake(ask: Ask) -> Part:
    return _part(ask, Stuck.RETAKE, Retake.workitem_id, Retake.requested_at).where(
        _words("retake.state IN ('REQUESTED', 'ACKNOWLEDGED')"),
        Retake.state == RetakeState.REQUESTED,
        Retake.overdue_at.is_not(None),
        ask.sees(Retake.site_id),
    )


def _unclaimed(ask: Ask) -> Part:
    return _part(ask, Stuck.UNCLAIMED, Workitem.id, Workitem.queued_at).where(
        _words("workitem.state = 'QUEUED' AND workitem.escalated_at IS NOT NULL"),
        ask.sees(Workitem.site_id),
    )


def _late(ask: Ask) -> Part:
    return _part(ask, Stuck.LATE, Workitem.id, Workitem.due_at).where(
        IN_QUEUE, Workitem.state != State.HELD, ask.sees(Workitem.site_id)
    )


def _delivery(ask: Ask, rule: Stuck, states: str) -> Part:
    # What a person let go on again counts from then.
    since = func.greatest(Delivery.issued_at, Delivery.decided_at)
    return _part(ask, rule, Delivery.workitem_id, since, Delivery.id).where(
        _words(f"delivery.{states}"), Delivery.issued_at <= ask.cutoff, ask.sees(Delivery.site_id)
    )


_WAITS: Final = "state IN ('PENDING', 'IN_PROGRESS')"
_HELD: Final = "state IN ('REFUSED', 'PAUSED')"


def _queue_is_paused() -> ColumnElement[bool]:
    return exists().where(
        DeliveryQueue.destination_id == Delivery.destination_id,
        DeliveryQueue.paused_at.is_not(None),
    )


def _not_delivered(ask: Ask) -> Part:
    return _delivery(ask, Stuck.NOT_DELIVERED, _WAITS).where(~_queue_is_paused())


def _queue_paused(ask: Ask) -> Part:
    return _delivery(ask, Stuck.PAUSED, _WAITS).where(_queue_is_paused())


def _refused(ask: Ask) -> Part:
    return _delivery(ask, Stuck.REFUSED, _HELD).where(Delivery.state == "REFUSED")


def _paused(ask: Ask) -> Part:
    return _delivery(ask, Stuck.PAUSED, _HELD).where(Delivery.state == "PAUSED")


def _not_received(ask: Ask) -> Part:
    waits = exists().where(Delivery.workitem_id == Workitem.id, _words(f"delivery.{_WAITS}"))
    since = func.coalesce(Workitem.finalised_at, Workitem.preliminary_at)
    return _part(ask, Stuck.NOT_RECEIVED, Workitem.id, since).where(
        _words(
            "workitem.delivery_overdue_at IS NOT NULL AND workitem.delivered_at IS NULL"
            " AND workitem.opened_at IS NULL"
        ),
        STANDS,
        ~waits,
        ask.sees(Workitem.site_id),
    )


def _unopened(ask: Ask) -> Part:
    since = func.coalesce(Workitem.finalised_at, Workitem.preliminary_at)
    return _part(ask, Stuck.UNOPENED, Workitem.id, since).where(
        _words("workitem.unopened_at IS NOT NULL"),
        # Else it is the other rule's.
        or_(Workitem.delivery_overdue_at.is_(None), Workitem.delivered_at.is_not(None)),
        STANDS,
        ask.sees(Workitem.site_id),
    )


def _recall(ask: Ask) -> Part:
    return (
        _part(
            ask,
            Stuck.RECALL,
            ReportRecall.workitem_id,
            ReportRecall.recalled_at,
            RecallRecipient.id,
        )
        .join_from(
            RecallRecipient,
            ReportRecall,
            ReportRecall.report_version_id == RecallRecipient.report_version_id,
        )
        .join(Workitem, Workitem.id == ReportRecall.workitem_id)
        .where(
            _words("recall_recipient.told_at IS NULL"),
            RecallRecipient.level >= int(RecallStep.SITE_DUTY_HEAD),
            ask.sees(Workitem.site_id),
        )
    )


KINDS: Final[Mapping[Stuck, Kind]] = MappingProxyType(
    {
        **dict.fromkeys(Stuck, Kind.READING),
        Stuck.NOT_CHECKED_IN: Kind.ORDER,
        Stuck.NOT_EXAMINED: Kind.ORDER,
        Stuck.NOT_SENT: Kind.ORDER,
        Stuck.NOT_COMPLETE: Kind.STUDY,
    }
)
"""What stands for an exam that is stuck so."""

PARTS: Final[Mapping[Stuck, tuple[Callable[[Ask], Part], ...]]] = MappingProxyType(
    {
        Stuck.NOT_CHECKED_IN: (_not_checked_in,),
        Stuck.NOT_EXAMINED: (_not_examined,),
        Stuck.NOT_SENT: (_not_sent,),
        Stuck.NOT_COMPLETE: (_not_complete,),
        Stuck.MISSING: (_missing,),
        Stuck.IDENTITY: (_identity,),
        Stuck.RETAKE: (_retake,),
        Stuck.UNCLAIMED: (_unclaimed,),
        Stuck.LATE: (_late,),
        Stuck.NOT_DELIVERED: (_not_delivered,),
        Stuck.REFUSED: (_refused,),
        Stuck.PAUSED: (_paused, _queue_paused),
        Stuck.NOT_RECEIVED: (_not_received,),
        Stuck.UNOPENED: (_unopened,),
        Stuck.RECALL: (_recall,),
    }
)
"""Every rule of the table has its SQL."""
