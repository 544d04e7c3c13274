"""The steps that wait at a site: what its modalities are told to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.orders.states import ExamState
from storage.orders.tables import Order, ScheduledStep
from storage.orders.words import OrderSource, StepStatus

_OPEN: Final = (ExamState.REQUESTED, ExamState.CHECKED_IN, ExamState.RETAKE)
_NOT_BEGUN: Final = (StepStatus.SCHEDULED, StepStatus.ARRIVED, StepStatus.READY)


@dataclass(frozen=True, slots=True)
class StepFilter:
    """What narrows the list in the database; None is everything.

    scheduled_from, scheduled_until: both included.
    station_ae_titles: steps for one of these stations, and steps for any.
    """

    scheduled_from: datetime | None = None
    scheduled_until: datetime | None = None
    modalities: Sequence[str] | None = None
    station_ae_titles: Sequence[str] | None = None
    patient_local_id: str | None = None
    accession_number: str | None = None


def scheduled_steps(
    session: Session, site_id: UUID, wanted: StepFilter, *, limit: int
) -> Sequence[tuple[ScheduledStep, Order]]:
    """Return up to `limit` steps of a site that have not begun, the earliest first."""
    conditions = [
        Order.site_id == site_id,
        Order.source != OrderSource.HEADER,
        Order.state.in_(_OPEN),
        # An exam to be made again is scheduled again, whatever became of its steps.
        or_(ScheduledStep.status.in_(_NOT_BEGUN), Order.state == ExamState.RETAKE),
    ]
    if wanted.scheduled_from is not None:
        conditions.append(ScheduledStep.scheduled_at >= wanted.scheduled_from)
    if wanted.scheduled_until is not None:
        conditions.append(ScheduledStep.scheduled_at <= wanted.scheduled_until)
    if wanted.modalities is not None:
        conditions.append(ScheduledStep.modality.in_(wanted.modalities))
    if wanted.station_ae_titles is not None:
        conditions.append(
            or_(
                ScheduledStep.station_ae_title.in_(wanted.station_ae_titles),
                ScheduledStep.station_ae_title.is_(None),
            )
        )
    if wanted.patient_local_id is not None:
        conditions.append(Order.patient_local_id == wanted.patient_local_id)
    if wanted.accession_number is not None:
        conditions.append(Order.accession_number == wanted.accession_number)
    rows = session.execute(
        select(ScheduledStep, Order)
        .join(Order, Order.id == ScheduledStep.order_id)
        .where(*conditions)
        .order_by(ScheduledStep.scheduled_at, ScheduledStep.step_id)
        .limit(limit)
    ).all()
    return [(step, order) for step, order in rows]
