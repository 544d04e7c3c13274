"""What rules are told of a study: from its header, its order, the roster and the calendar."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from reading_worklist.routing import roster
from reading_worklist.routing.roster import OnDuty
from reading_worklist.routing.rules import Facts
from reading_worklist.working_time.hours import WorkingTime
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Instance, Series, Study
from storage.orders.tables import Order, PerformedStep, StudyOrder
from storage.orders.words import Priority
from storage.registry import Device, Organisation

_AT_A_TIME: Final = 500


@dataclass(frozen=True, slots=True)
class Times:
    """What a consortium's rules ask of the clock: its roster and its working time."""

    worked: WorkingTime
    duties: Sequence[OnDuty]


@dataclass(frozen=True, slots=True)
class Routable:
    """A queued study and what rules are told of it.

    started_at: when its exam began, as far as that is known; else when it came.
    """

    item: Workitem
    study: Study
    facts: Facts
    started_at: datetime


def times_of(session: Session, organisation_id: UUID, first: datetime, last: datetime) -> Times:
    """Return roster and working time of a consortium for studies queued between two times."""
    return Times(
        working_time(session, organisation_id, since=first.date() - timedelta(days=1)),
        roster.duties(session, organisation_id, first, last),
    )


def of_item(session: Session, workitem_id: UUID, times: Times) -> Routable:
    """Return what rules are told of one workitem."""
    return _routable(session.execute(_rows().where(Workitem.id == workitem_id)).one(), times)


def of_past(
    session: Session, site_ids: Sequence[UUID], since: datetime, limit: int, times: Times
) -> Generator[Routable]:
    """Yield what rules are told of the studies queued since then, the latest first."""
    rows = session.execute(
        _rows()
        .where(Workitem.site_id.in_(site_ids), Workitem.queued_at >= since)
        .order_by(Workitem.queued_at.desc())
        .limit(limit)
        .execution_options(yield_per=_AT_A_TIME)
    )
    for row in rows:
        yield _routable(row, times)


def _rows() -> Select[*tuple[Any, ...]]:
    parts = (
        select(func.array_agg(Series.body_part_examined.distinct()))
        .where(Series.study_id == Workitem.study_id, Series.body_part_examined.is_not(None))
        .correlate(Workitem)
        .scalar_subquery()
    )
    # By our own clock: what a device writes into its headers may be years off.
    began = (
        select(func.min(PerformedStep.created_at))
        .where(
            PerformedStep.site_id == Study.site_id,
            PerformedStep.study_instance_uid == Study.study_instance_uid,
        )
        .correlate(Study)
        .scalar_subquery()
    )
    device = (
        select(Device.ae_title)
        .join(Instance, Instance.device_id == Device.id)
        .where(Instance.study_id == Workitem.study_id)
        .order_by(Instance.id)
        .limit(1)
        .correlate(Workitem)
        .scalar_subquery()
    )
    return (
        select(Workitem, Study, Order, Organisation.code, parts, began, device)
        .join(Study, Study.id == Workitem.study_id)
        .join(Organisation, Organisation.id == Workitem.site_id)
        .join(StudyOrder, StudyOrder.study_id == Study.id, isouter=True)
        .join(Order, Order.id == StudyOrder.order_id, isouter=True)
    )


def _routable(row: Row[*tuple[Any, ...]], times: Times) -> Routable:
    item: Workitem = row[0]
    study: Study = row[1]
    order: Order | None = row[2]
    said = [order.body_part, order.procedure_description] if order else []
    queued = item.queued_at
    facts = Facts(
        site_code=row[3],
        modalities=frozenset(study.modalities),
        body_parts=tuple(part for part in (*(row[4] or ()), *said) if part),
        priority=order.priority if order else Priority.ROUTINE,
        visit_type=order.visit_type if order else None,
        queued=queued.astimezone(times.worked.zone),
        working=times.worked.is_working(queued),
        on_duty=roster.groups_on_duty(times.duties, queued),
        device=row[6],
    )
    return Routable(item, study, facts, min(row[5] or study.first_received_at, queued))
