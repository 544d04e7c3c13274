"""Which exams of a site a list shows, and in which order.

An exam is a reading as soon as its study is complete. Before, it is its order, or a study that is
on its way and that no order asked for. The three never show one exam twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, any_, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from reading_worklist.access.scope import Scope
from reading_worklist.orders.queries import order_called
from reading_worklist.portal.road import ORDER_STEPS, ExamStep, Need
from reading_worklist.portal.schemas import ExamFilter
from reading_worklist.reports.tables import ReportOpening, ReportRecall, ReportVersion
from reading_worklist.workitems.queries import matches_text
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.index.tables import Patient, Study, StudyState
from storage.orders.states import ExamState
from storage.orders.tables import Order, ScheduledStep, StudyOrder
from storage.orders.words import OrderSource

READING: Final = frozenset({State.CLAIMED, State.WRITTEN, State.REVIEWING, State.RETURNED})
STANDS: Final = (Workitem.state != State.REVOKED) & (
    Workitem.preliminary_at.is_not(None) | Workitem.finalised_at.is_not(None)
)
"""The SQL condition for `Workitem.report_stands`."""

_SENT_WITHIN: Final = timedelta(minutes=10)
_EXAMINED_WITHIN: Final = timedelta(minutes=60)
_COMES_WITHIN: Final = timedelta(hours=2)
_LOOKED_BACK: Final = timedelta(days=7)
"""When images count as late: after acquired, after checked in, after the scheduled time; and for
how long a patient who did not come is told of."""


_Row: TypeAlias = Select[str, UUID, datetime]


class Kind(StrEnum):
    """What stands for an exam in the database."""

    READING = "reading"
    ORDER = "order"
    STUDY = "study"


@dataclass(frozen=True, slots=True)
class Found:
    """One exam of a page."""

    kind: Kind
    id: UUID


def find(
    session: Session, scope: Scope, wanted: ExamFilter, *, page: int, page_size: int
) -> tuple[list[Found], int]:
    """Return one page of the visible exams, newest first, and how many there are."""
    kinds = _KINDS[wanted.needs] if wanted.workitem_ids is None else (Kind.READING,)
    parts = [_PARTS[kind](scope, wanted) for kind in kinds]
    exams = union_all(*parts).subquery()
    total = session.scalar(select(func.count()).select_from(exams)) or 0
    rows = session.execute(
        select(exams.c.kind, exams.c.id)
        .order_by(exams.c.at.desc(), exams.c.id)
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    return [Found(Kind(kind), exam_id) for kind, exam_id in rows], total


def resolve(session: Session, scope: Scope, exam_id: UUID) -> Found | None:
    """Return the exam that a reading's, an order's or a study's id means; None for none visible.

    What has become a reading meanwhile is found as one.
    """
    reading = session.scalar(
        select(Workitem.id)
        .join(StudyOrder, StudyOrder.study_id == Workitem.study_id, isouter=True)
        .where(
            scope.sees(Workitem.site_id),
            or_(
                Workitem.id == exam_id,
                Workitem.study_id == exam_id,
                StudyOrder.order_id == exam_id,
            ),
        )
        .order_by(Workitem.queued_at.desc())
        .limit(1)
    )
    if reading is not None:
        return Found(Kind.READING, reading)
    order = session.scalar(
        select(Order.id).where(
            Order.id == exam_id, scope.sees(Order.site_id), Order.source != OrderSource.HEADER
        )
    )
    if order is not None:
        return Found(Kind.ORDER, order)
    study = session.scalar(select(Study.id).where(Study.id == exam_id, scope.sees(Study.site_id)))
    return None if study is None else Found(Kind.STUDY, study)


def arriving(session: Session, orders: Sequence[Order]) -> dict[UUID, Study]:
    """Return by order's id the study that is on its way for it, and not in the queue yet."""
    if not orders:
        return {}
    rows = session.execute(
        select(Order.id, Study)
        .join(Study, on_its_way())
        .where(Order.id.in_([one.id for one in orders]))
        .order_by(Study.first_received_at)
    )
    return dict(rows.all())


def _row(
    kind: Kind, exam_id: InstrumentedAttribute[UUID], at: InstrumentedAttribute[datetime]
) -> _Row:
    return select(literal(kind.value).label("kind"), exam_id.label("id"), at.label("at"))


def _readings(scope: Scope, wanted: ExamFilter) -> _Row:
    conditions = [scope.sees(Workitem.site_id)]
    if wanted.step is not None:
        conditions.append(_reading_at(wanted.step))
    if wanted.workitem_ids is not None:
        conditions.append(Workitem.id.in_(wanted.workitem_ids))
    if wanted.needs is Need.UNOPENED:
        conditions.extend((STANDS, Workitem.opened_at.is_(None), ~_opened_standing()))
    if wanted.queued_after is not None:
        conditions.append(Workitem.queued_at >= wanted.queued_after)
    query = _row(Kind.READING, Workitem.id, Workitem.queued_at)
    if wanted.text or wanted.modality or wanted.from_date:
        query = query.join(Study, Study.id == Workitem.study_id).join(
            Patient, Patient.id == Study.patient_id
        )
        conditions.extend(_of_study(wanted))
    if wanted.needs is Need.ATTENTION:
        query = query.join(StudyOrder, StudyOrder.study_id == Workitem.study_id).join(
            Order, Order.id == StudyOrder.order_id
        )
        conditions.append(
            (Order.state == ExamState.IDENTITY_HOLD) | ((Order.missing_instances > 0) & ~STANDS)
        )
    return query.where(*conditions)


def _orders(scope: Scope, wanted: ExamFilter) -> _Row:
    linked = select(StudyOrder.order_id).where(StudyOrder.order_id == Order.id).exists()
    conditions = [
        scope.sees(Order.site_id),
        Order.source != OrderSource.HEADER,
        Order.state != ExamState.CANCELLED,
        ~linked,
    ]
    comes = select(Study.id).where(on_its_way()).exists()
    if wanted.step is not None:
        conditions.append(_order_at(wanted.step, comes))
    if wanted.needs is Need.LATE:
        conditions.extend((_is_late(), ~comes))
    if wanted.text:
        conditions.append(
            or_(
                Order.patient_local_id.istartswith(wanted.text, autoescape=True),
                Order.accession_number.istartswith(wanted.text, autoescape=True),
                order_called(wanted.text),
            )
        )
    if wanted.modality:
        conditions.append(Order.steps.any(modality=wanted.modality))
    if wanted.from_date is not None:
        conditions.append(Order.requested_at >= wanted.from_date)
    return _row(Kind.ORDER, Order.id, Order.requested_at).where(*conditions)


def _studies(scope: Scope, wanted: ExamFilter) -> _Row:
    queued = select(Workitem.id).where(Workitem.study_id == Study.id).exists()
    ordered = (
        select(Order.id)
        .where(Order.source != OrderSource.HEADER, Order.state != ExamState.CANCELLED, on_its_way())
        .correlate(Study)
        .exists()
    )
    conditions = [
        scope.sees(Study.site_id),
        Study.state == StudyState.RECEIVING,
        ~queued,
        ~ordered,
        *_of_study(wanted),
    ]
    if wanted.step not in (None, ExamStep.RECEIVING):
        conditions.append(literal(value=False))
    return (
        _row(Kind.STUDY, Study.id, Study.first_received_at)
        .join(Patient, Patient.id == Study.patient_id)
        .where(*conditions)
    )


def _of_study(wanted: ExamFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(matches_text(wanted.text))
    if wanted.modality:
        conditions.append(literal(wanted.modality) == any_(Study.modalities))
    if wanted.from_date is not None:
        conditions.append(Study.study_date >= wanted.from_date)
    return conditions


def on_its_way() -> ColumnElement[bool]:
    """Return the condition that instances of an order's study have begun to come."""
    # By name: of its own accord a query is tied to the one right around it alone.
    queued = select(Workitem.id).where(Workitem.study_id == Study.id).correlate(Study).exists()
    return and_(
        Study.site_id == Order.site_id,
        Study.state == StudyState.RECEIVING,
        or_(
            Study.study_instance_uid == Order.study_instance_uid,
            Study.accession_number == Order.accession_number,
        ),
        ~queued,
    )


def _reading_at(step: ExamStep) -> ColumnElement[bool]:
    """Return the SQL condition for `queries.step_of(reading) is step`."""
    conditions: dict[ExamStep, ColumnElement[bool]] = {
        ExamStep.OPENED: Workitem.opened_at.is_not(None),
        ExamStep.DELIVERED: Workitem.opened_at.is_(None) & Workitem.delivered_at.is_not(None),
        ExamStep.SIGNED: Workitem.opened_at.is_(None) & Workitem.delivered_at.is_(None) & STANDS,
        ExamStep.READING: _undone() & Workitem.state.in_(READING),
        ExamStep.QUEUED: _undone() & Workitem.state.not_in(READING),
    }
    return conditions.get(step, literal(value=False))


def _opened_standing() -> ColumnElement[bool]:
    """Return the condition that the report that stands was opened: a preliminary one, too."""
    recalled = select(ReportRecall.report_version_id).where(
        ReportRecall.report_version_id == ReportVersion.id
    )
    return (
        select(ReportOpening.id)
        .join(ReportVersion, ReportVersion.id == ReportOpening.report_version_id)
        .where(ReportVersion.workitem_id == Workitem.id, ~recalled.exists())
        .exists()
    )


def _undone() -> ColumnElement[bool]:
    return Workitem.opened_at.is_(None) & Workitem.delivered_at.is_(None) & ~STANDS


def _order_at(step: ExamStep, comes: ColumnElement[bool]) -> ColumnElement[bool]:
    if step is ExamStep.RECEIVING:
        return comes
    states = [state for state in ExamState if ORDER_STEPS.get(state, ExamStep.ORDERED) is step]
    return Order.state.in_(states) & ~comes


def _is_late() -> ColumnElement[bool]:
    now: datetime = utc_now()
    scheduled = (
        select(func.min(ScheduledStep.scheduled_at))
        .where(ScheduledStep.order_id == Order.id)
        .scalar_subquery()
    )
    return or_(
        (Order.state == ExamState.ACQUIRED) & (Order.acquired_at < now - _SENT_WITHIN),
        (Order.state == ExamState.CHECKED_IN) & (Order.checked_in_at < now - _EXAMINED_WITHIN),
        (Order.state == ExamState.REQUESTED)
        & scheduled.between(now - _LOOKED_BACK, now - _COMES_WITHIN),
    )


_PARTS: Final = {Kind.READING: _readings, Kind.ORDER: _orders, Kind.STUDY: _studies}
_KINDS: Final = {
    None: tuple(Kind),
    Need.ATTENTION: (Kind.READING,),
    Need.UNOPENED: (Kind.READING,),
    Need.LATE: (Kind.ORDER,),
}
