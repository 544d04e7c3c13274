"""What helps a technician to fill an order: patients the site knows, and what they had before.

All of it is of the sites that the person sees; nothing here is of another site.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, selectinload

from reading_worklist.access.scope import Scope
from reading_worklist.orders.queries import order_called
from reading_worklist.orders.schemas import EarlierExam, EarlierExams, SitePatient
from reading_worklist.reports.document import mask_identity
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.identity.documents import normal_number
from storage.index.search import patient_name_begins
from storage.index.tables import Patient, Study
from storage.orders.states import ExamState
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import DocumentKind
from storage.person_name import display_name, latin_name

_PATIENTS_MAX: Final = 8
_EARLIER_MAX: Final = 10
_EARLIER_WITHIN: Final = timedelta(days=90)
"""How old an exam may be and still be worth knowing before another is made."""


def patients(session: Session, scope: Scope, text: str) -> list[SitePatient]:
    """Return up to eight patients of the site whom `text` may mean, those seen last first.

    text: a resident identity number, or the beginning of a patient id or of a name in any reading.
    """
    wanted = text.strip()
    if not wanted:
        return []
    found = {one.local_id: one for one in _ordered(session, scope, wanted)}
    for one in _examined(session, scope, wanted):
        known = found.get(one.local_id)
        if known is None:
            found[one.local_id] = one
        elif one.last_at > known.last_at:
            found[one.local_id] = known.model_copy(update={"last_at": one.last_at})
    latest = sorted(found.values(), key=lambda one: one.last_at, reverse=True)
    return latest[:_PATIENTS_MAX]


def earlier_exams(
    session: Session,
    scope: Scope,
    *,
    patient_local_id: str,
    modality: str,
    body_part: str | None,
    zone: ZoneInfo,
) -> EarlierExams:
    """Return the exams of a patient that speak against making another: today's and recent ones.

    today: orders of this day in `zone` for the same modality, and the same body part where both
        say one; cancelled ones aside. recent: reported exams of the last 90 days of that kind.
    """
    now = utc_now()
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    orders = session.scalars(
        select(Order)
        .where(
            scope.sees(Order.site_id),
            Order.patient_local_id == patient_local_id,
            Order.requested_at >= now - _EARLIER_WITHIN,
            Order.state != ExamState.CANCELLED,
            Order.steps.any(modality=modality),
        )
        .options(selectinload(Order.steps))
        .order_by(Order.requested_at.desc())
        .limit(_EARLIER_MAX * 2)
    ).all()
    same = [one for one in orders if _same_part(one.body_part, body_part)]
    reported = _reported(session, same)
    return EarlierExams(
        today=[_earlier(one, modality, reported) for one in same if one.requested_at >= midnight],
        recent=[
            _earlier(one, modality, reported)
            for one in same
            if one.requested_at < midnight and one in reported
        ][:_EARLIER_MAX],
    )


def _same_part(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one.casefold() == other.casefold()


def _reported(session: Session, orders: list[Order]) -> Mapping[Order, Workitem]:
    """Return the reading of each of the orders that has a report which stands."""
    by_id = {one.id: one for one in orders}
    rows = session.execute(
        select(StudyOrder.order_id, Workitem)
        .join(Workitem, Workitem.study_id == StudyOrder.study_id)
        .where(StudyOrder.order_id.in_(by_id))
    ).all()
    return {by_id[order_id]: item for order_id, item in rows if item.report_stands}


def _earlier(order: Order, modality: str, reported: Mapping[Order, Workitem]) -> EarlierExam:
    item = reported.get(order)
    return EarlierExam(
        order_id=order.id,
        workitem_id=item.id if item else None,
        modality=modality,
        description=order.procedure_description,
        requested_at=order.requested_at,
        state=order.state,
        accession_number=order.accession_number,
        has_report=item is not None,
    )


def _ordered(session: Session, scope: Scope, wanted: str) -> list[SitePatient]:
    """Return whom orders name: also patients of whom nothing has come yet."""
    number = normal_number(DocumentKind.RESIDENT_ID, wanted)
    conditions: list[ColumnElement[bool]] = [
        Order.patient_local_id.istartswith(wanted, autoescape=True),
        order_called(wanted),
        Order.document_number == number,
    ]
    newest = (
        select(Order.id)
        .where(scope.sees(Order.site_id), Order.patient_local_id.is_not(None), or_(*conditions))
        .ext(distinct_on(Order.patient_local_id))
        .order_by(Order.patient_local_id, Order.requested_at.desc())
        .subquery()
    )
    orders = session.scalars(
        select(Order)
        .where(Order.id.in_(select(newest.c.id)))
        .order_by(Order.requested_at.desc())
        .limit(_PATIENTS_MAX)
    ).all()
    return [
        SitePatient(
            local_id=one.patient_local_id or "",
            name=display_name(one.patient_name),
            latin_name=latin_name(one.patient_name),
            name_groups=one.patient_name,
            sex=one.patient_sex,
            birth_date=one.patient_birth_date,
            document_number=mask_identity(one.document_number) if one.document_number else None,
            last_at=one.requested_at,
        )
        for one in orders
    ]


def _examined(session: Session, scope: Scope, wanted: str) -> list[SitePatient]:
    last: ColumnElement[datetime] = func.max(Study.first_received_at)
    rows = session.execute(
        select(Patient, last)
        .join(Study, Study.patient_id == Patient.id)
        .where(
            scope.sees(Patient.site_id),
            Patient.local_id.is_not(None),
            or_(
                Patient.local_id.istartswith(wanted, autoescape=True),
                patient_name_begins(wanted),
            ),
        )
        .group_by(Patient.id)
        .order_by(last.desc())
        .limit(_PATIENTS_MAX)
    ).all()
    return [
        SitePatient(
            local_id=patient.local_id or "",
            name=display_name(patient.name),
            latin_name=latin_name(patient.name),
            name_groups=patient.name,
            sex=patient.sex,
            birth_date=patient.birth_date,
            document_number=None,
            last_at=at,
        )
        for patient, at in rows
    ]
