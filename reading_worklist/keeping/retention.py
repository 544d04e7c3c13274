"""Until when records must be kept, and what stands against removing them.

Kept per patient, rolling: everything of a patient stays until the longest rule
of any of the visits has passed (outpatient 15 years after the last visit,
inpatient 30 after the last discharge, more where a site says so). A visit is a
study; its day is the later of Study Date and first reception, since a device's
clock may be years behind, and a discharge is not told, so that its study stands
for it. Where no order tells the kind of visit, the longer rule holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    Date,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from reading_worklist.keeping.tables import (
    LegalHold,
    PurgeStudy,
    RetentionRule,
    StudyFate,
    VisitKind,
)
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.deliveries import Delivery
from storage.delivery_states import OPEN
from storage.index.tables import Instance, Quarantine, Study, StudyState
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import VisitType

MINIMUM_YEARS: Final[Mapping[VisitKind, int]] = MappingProxyType(
    {VisitKind.OUTPATIENT: 15, VisitKind.INPATIENT: 30}
)
"""The national rule; a site may keep longer, never shorter."""

_OUTPATIENT: Final = (VisitType.OUTPATIENT, VisitType.EMERGENCY, VisitType.CHECKUP)
_FINISHED: Final = (
    State.PUBLISHED,
    State.DELIVERED,
    State.REVOKED,
    State.ARCHIVED,
    State.WITHDRAWN,
)


def due_patients(sites: Iterable[UUID], *, today: date | None = None) -> CTE:
    """Return the patients of `sites` whose records need not be kept any more, as a query to join.

    Columns: patient_id, last_visit, due_on; due_on is the day from which on they may go.
    """
    last_visit = func.max(_visited()).label("last_visit")
    due_on = func.max(_kept_until()).label("due_on")
    return (
        select(Study.patient_id, last_visit, due_on)
        .outerjoin(StudyOrder, StudyOrder.study_id == Study.id)
        .outerjoin(Order, Order.id == StudyOrder.order_id)
        .outerjoin(RetentionRule, _rule_of_study())
        .where(Study.site_id.in_(list(sites)))
        .group_by(Study.patient_id)
        .having(due_on <= (today or utc_now().date()), func.sum(Study.instance_count) > 0)
        .cte("due_patient")
    )


def _visited() -> Any:  # noqa: ANN401 -- an SQL expression of the type date
    first_received = cast(func.timezone("UTC", Study.first_received_at), Date)
    return func.greatest(Study.study_date, first_received)


def _kind() -> Any:  # noqa: ANN401 -- an SQL expression
    return case(
        (Order.visit_type.in_(_OUTPATIENT), literal(VisitKind.OUTPATIENT.value, String)),
        else_=literal(VisitKind.INPATIENT.value, String),
    )


def _rule_of_study() -> Any:  # noqa: ANN401 -- an SQL expression
    return and_(
        RetentionRule.site_id == Study.site_id, cast(RetentionRule.visit_kind, String) == _kind()
    )


def _kept_until() -> Any:  # noqa: ANN401 -- an SQL expression of the type date
    minimum = case(
        *((_kind() == kind.value, literal(years, Integer)) for kind, years in MINIMUM_YEARS.items())
    )
    years = func.greatest(func.coalesce(RetentionRule.years, minimum), minimum)
    return cast(_visited() + func.make_interval(years), Date)


def obstacles(session: Session, study_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return by study why it may not be removed now; studies that may are left out.

    The words: not_due, legal_hold, receiving, no_instances, unfinished_reading,
    unfinished_delivery, open_quarantine.
    """
    found: dict[UUID, list[str]] = {}
    for word, query in _obstacle_queries(session, study_ids):
        for study_id in session.scalars(query):
            found.setdefault(study_id, []).append(word)
    return found


def _obstacle_queries(
    session: Session, study_ids: Sequence[UUID]
) -> Iterable[tuple[str, Select[UUID]]]:
    wanted = select(Study.id).where(Study.id.in_(study_ids))
    sites = session.scalars(select(Study.site_id).where(Study.id.in_(study_ids)).distinct()).all()
    due = due_patients(sites)
    yield "not_due", wanted.where(Study.patient_id.not_in(select(due.c.patient_id)))
    yield (
        "legal_hold",
        wanted.where(
            exists().where(
                LegalHold.patient_id == Study.patient_id,
                LegalHold.released_at.is_(None),
                or_(LegalHold.study_id.is_(None), LegalHold.study_id == Study.id),
            )
        ),
    )
    yield "receiving", wanted.where(Study.state == StudyState.RECEIVING)
    yield "no_instances", wanted.where(Study.instance_count == 0)
    yield (
        "unfinished_reading",
        wanted.where(
            exists().where(Workitem.study_id == Study.id, Workitem.state.not_in(_FINISHED))
        ),
    )
    yield (
        "unfinished_delivery",
        wanted.where(exists().where(Delivery.study_id == Study.id, Delivery.state.in_(OPEN))),
    )
    filed = aliased(Instance)
    yield (
        "open_quarantine",
        wanted.where(
            or_(
                exists().where(
                    Quarantine.resolved_at.is_(None),
                    Quarantine.instance_id == filed.id,
                    filed.study_id == Study.id,
                ),
                exists().where(
                    Quarantine.resolved_at.is_(None),
                    Quarantine.site_id == Study.site_id,
                    Quarantine.detail["study_instance_uid"].astext == Study.study_instance_uid,
                ),
            )
        ),
    )


def open_in_purges(session: Session, study_ids: Sequence[UUID]) -> set[UUID]:
    """Return those studies that wait in a purge already."""
    return set(
        session.scalars(
            select(PurgeStudy.study_id).where(
                PurgeStudy.study_id.in_(study_ids), PurgeStudy.fate == StudyFate.WAITING
            )
        )
    )
