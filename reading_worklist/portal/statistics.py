"""A site's own figures of a month: what it sent, how long it waited, and what it can do better.

An exam belongs to the month in which its first instance came. Every figure drills down to the exams
it counts; a rate whose denominator is zero is no rate.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values.clocks import in_time
from reading_worklist.critical_values.states import CriticalState
from reading_worklist.critical_values.tables import CriticalValue
from reading_worklist.ecg.emergency.times import CONTACT_TO_ECG, Facts, contact_to_ecg
from reading_worklist.portal.statistics_schemas import (
    MonthView,
    Rate,
    SegmentView,
    StatisticsRow,
)
from reading_worklist.reports.tables import ReportSubmission, ReportVersion
from reading_worklist.retakes.states import RetakeState
from reading_worklist.retakes.tables import Retake
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.index.tables import Study
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import PriorityReason

ALL: Final = "ALL"
"""What stands for every modality together."""

_NOT_IMAGES: Final = frozenset({"SR", "PR", "KO", "SEG", "DOC", "OT"})


class Segment(StrEnum):
    """A part of the road whose length is told; TOTAL: from received to the first report."""

    SEND = "send"
    QUEUE = "queue"
    WRITE = "write"
    REVIEW = "review"
    DELIVER = "deliver"
    TOTAL = "total"


class Measure(StrEnum):
    """What a figure counts, for drilling down."""

    SENT = "sent"
    REPORTED = "reported"
    IN_TIME = "in_time"
    LATE = "late"
    RETAKES = "retakes"
    UNOPENED = "unopened"
    CRITICAL = "critical"
    CRITICAL_IN_TIME = "critical_in_time"
    CHEST_PAIN = "chest_pain"
    CHEST_PAIN_IN_TIME = "chest_pain_in_time"
    GRADED = "graded"
    GRADE_A = "grade_a"


@dataclass(frozen=True, slots=True)
class Exam:
    """What of one exam the figures are made of.

    critical: for each critical value that was told, whether it was acknowledged in time; None while
        that is open.
    first_contact_at: of chest pain, for an ECG; received_at stands for its end.
    image_grade: as the report says; None when it does not.
    """

    id: UUID
    modality: str
    received_at: datetime
    complete_at: datetime | None = None
    claimed_at: datetime | None = None
    submitted_at: datetime | None = None
    finalised_at: datetime | None = None
    issued_at: datetime | None = None
    arrived_at: datetime | None = None
    due_at: datetime | None = None
    opened: bool = False
    retaken: bool = False
    critical: Sequence[bool | None] = field(default=())
    first_contact_at: datetime | None = None
    image_grade: str | None = None


_SPANS: Final[Mapping[Segment, tuple[str, str]]] = {
    Segment.SEND: ("received_at", "complete_at"),
    Segment.QUEUE: ("complete_at", "claimed_at"),
    Segment.WRITE: ("claimed_at", "submitted_at"),
    Segment.REVIEW: ("submitted_at", "finalised_at"),
    Segment.DELIVER: ("finalised_at", "arrived_at"),
    Segment.TOTAL: ("received_at", "issued_at"),
}


def _due(exam: Exam, now: datetime) -> bool:
    """Tell whether it is decided if the report was in time: it is out, or should be."""
    return exam.due_at is not None and (exam.issued_at is not None or exam.due_at < now)


def _in_time(exam: Exam, now: datetime) -> bool:
    return (
        _due(exam, now)
        and exam.issued_at is not None
        and exam.due_at is not None
        and exam.issued_at <= exam.due_at
    )


def _contact_to_ecg(exam: Exam) -> timedelta | None:
    """Return the interval as the chest-pain centre counts it: an impossible contact is none."""
    return contact_to_ecg(Facts(received_at=exam.received_at, contact_at=exam.first_contact_at))


def _chest_pain_in_time(exam: Exam, _now: datetime) -> bool:
    took = _contact_to_ecg(exam)
    return took is not None and took <= CONTACT_TO_ECG


COUNTS: Final[Mapping[Measure, Callable[[Exam, datetime], bool]]] = {
    Measure.SENT: lambda _exam, _now: True,
    Measure.REPORTED: lambda exam, _now: exam.issued_at is not None,
    Measure.IN_TIME: _in_time,
    Measure.LATE: lambda exam, now: _due(exam, now) and not _in_time(exam, now),
    Measure.RETAKES: lambda exam, _now: exam.retaken,
    Measure.UNOPENED: lambda exam, _now: exam.issued_at is not None and not exam.opened,
    Measure.CRITICAL: lambda exam, _now: any(one is not None for one in exam.critical),
    Measure.CRITICAL_IN_TIME: lambda exam, _now: bool(exam.critical) and all(exam.critical),
    Measure.CHEST_PAIN: lambda exam, _now: _contact_to_ecg(exam) is not None,
    Measure.CHEST_PAIN_IN_TIME: _chest_pain_in_time,
    Measure.GRADED: lambda exam, _now: exam.image_grade is not None,
    Measure.GRADE_A: lambda exam, _now: exam.image_grade == "A",
}
"""For each measure, whether it counts an exam."""


def month_of(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a month such as 2026-11 begins and ends in `zone`.

    Raises:
        ValueError: `text` is not a month.
    """
    first = date.fromisoformat(f"{text}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    begin, end = (datetime(day.year, day.month, 1, tzinfo=zone) for day in (first, after))
    return begin, end


def month(session: Session, scope: Scope, text: str, zone: ZoneInfo) -> MonthView:
    """Return the figures of a month, for all modalities together first, then by modality.

    Raises:
        ValueError: `text` is not a month.
    """
    now = utc_now()
    exams = read(session, scope, *month_of(text, zone))
    modalities = sorted({one.modality for one in exams})
    rows = [
        summary(name, [one for one in exams if name in (ALL, one.modality)], now)
        for name in (ALL, *modalities)
    ]
    return MonthView(month=text, made_at=now, rows=rows)


def counted(
    session: Session, scope: Scope, text: str, zone: ZoneInfo, *, modality: str, measure: Measure
) -> frozenset[UUID]:
    """Return the readings that a figure of a month counts.

    Raises:
        ValueError: `text` is not a month.
    """
    now = utc_now()
    return frozenset(
        one.id
        for one in read(session, scope, *month_of(text, zone))
        if modality in (ALL, one.modality) and COUNTS[measure](one, now)
    )


def summary(modality: str, exams: Sequence[Exam], now: datetime) -> StatisticsRow:
    """Return the figures of some exams."""
    counts = {measure: sum(counts(one, now) for one in exams) for measure, counts in COUNTS.items()}
    told = [known for one in exams for known in one.critical if known is not None]
    return StatisticsRow(
        modality=modality,
        sent=counts[Measure.SENT],
        reported=counts[Measure.REPORTED],
        segments={name: _segment(exams, name) for name in Segment},
        in_time=Rate.of(counts[Measure.IN_TIME], counts[Measure.IN_TIME] + counts[Measure.LATE]),
        retakes=Rate.of(counts[Measure.RETAKES], len(exams)),
        unopened=Rate.of(counts[Measure.UNOPENED], counts[Measure.REPORTED]),
        critical=Rate.of(sum(told), len(told)),
        chest_pain=Rate.of(counts[Measure.CHEST_PAIN_IN_TIME], counts[Measure.CHEST_PAIN]),
        grade_a=Rate.of(counts[Measure.GRADE_A], counts[Measure.GRADED]),
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` (0 to 1) of some values lie, None for no values.

    Between two values it lies in proportion, as PostgreSQL's percentile_cont.
    """
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _segment(exams: Iterable[Exam], name: Segment) -> SegmentView:
    begin, end = _SPANS[name]
    seconds: list[float] = []
    for one in exams:
        since, until = getattr(one, begin), getattr(one, end)
        # What ended before it began was done another way: a report opened before it was delivered.
        if since is not None and until is not None and until >= since:
            seconds.append((until - since).total_seconds())
    return SegmentView(
        count=len(seconds), median=percentile(seconds, 0.5), p90=percentile(seconds, 0.9)
    )


def read(session: Session, scope: Scope, begin: datetime, end: datetime) -> list[Exam]:
    """Return the exams of the visible sites whose first instance came from `begin` to `end`."""
    rows = session.execute(
        select(Workitem, Study, Order)
        .join(Study, Study.id == Workitem.study_id)
        .join(StudyOrder, StudyOrder.study_id == Study.id, isouter=True)
        .join(Order, Order.id == StudyOrder.order_id, isouter=True)
        .where(
            scope.sees(Workitem.site_id),
            # Nothing is in the queue before it has come: by the index on site and time.
            Workitem.queued_at >= begin,
            Study.first_received_at >= begin,
            Study.first_received_at < end,
        )
    ).all()
    ids = [row[0].id for row in rows]
    critical = _critical(session, ids)
    grades = _grades(session, ids)
    retaken = frozenset(
        session.scalars(
            select(Retake.workitem_id).where(
                Retake.workitem_id.in_(ids), Retake.state != RetakeState.CANCELLED
            )
        )
    )
    return [
        _exam(
            row[0],
            row[1],
            row[2],
            critical=critical.get(row[0].id, ()),
            retaken=row[0].id in retaken,
            image_grade=grades.get(row[0].id),
        )
        for row in rows
    ]


def _exam(
    item: Workitem,
    study: Study,
    order: Order | None,
    *,
    critical: Sequence[bool | None],
    retaken: bool,
    image_grade: str | None,
) -> Exam:
    images = [one for one in study.modalities if one not in _NOT_IMAGES]
    arrived = [at for at in (item.delivered_at, item.opened_at) if at is not None]
    issued = [at for at in (item.preliminary_at, item.finalised_at) if at is not None]
    is_ecg = item.lane is Lane.ECG
    chest_pain = order is not None and order.priority_reason is PriorityReason.CHEST_PAIN
    return Exam(
        id=item.id,
        modality="ECG" if is_ecg else next(iter(images), "OT"),
        received_at=study.first_received_at,
        complete_at=study.completed_at,
        claimed_at=item.claimed_at,
        submitted_at=item.submitted_at,
        finalised_at=item.finalised_at,
        issued_at=min(issued, default=None),
        arrived_at=min(arrived, default=None),
        due_at=item.due_at,
        opened=item.opened_at is not None,
        retaken=retaken,
        critical=critical,
        first_contact_at=order.first_contact_at if order and is_ecg and chest_pain else None,
        image_grade=image_grade,
    )


def _grades(session: Session, workitem_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """Return by reading the grade of the images that its newest report gives."""
    rows = session.execute(
        select(ReportVersion.workitem_id, ReportSubmission.codes["image_grade"].astext)
        .join(ReportSubmission, ReportSubmission.id == ReportVersion.submission_id)
        .where(ReportVersion.workitem_id.in_(workitem_ids))
        .order_by(ReportVersion.number)
    )
    return dict(rows.all())


def _critical(session: Session, workitem_ids: Sequence[UUID]) -> dict[UUID, list[bool | None]]:
    now = utc_now()
    found: dict[UUID, list[bool | None]] = {}
    rows = session.execute(
        select(CriticalValue.workitem_id, CriticalValue.found_at, CriticalValue.acknowledged_at)
        .where(
            CriticalValue.workitem_id.in_(workitem_ids),
            CriticalValue.notified_at.is_not(None),
            CriticalValue.state != CriticalState.DISMISSED,
        )
        .order_by(func.coalesce(CriticalValue.notified_at, CriticalValue.found_at))
    )
    for workitem_id, found_at, acknowledged_at in rows:
        found.setdefault(workitem_id, []).append(in_time(found_at, acknowledged_at, now))
    return found
