"""What is recorded of emergency ECGs, within the scope of who asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, String, cast, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.ecg.emergency.schemas import (
    AnsweredEcg,
    AnsweredEcgs,
    WaitingEcg,
    WaitingEcgs,
)
from reading_worklist.ecg.emergency.times import Facts
from reading_worklist.problems import not_found
from reading_worklist.reports.tables import ReportOpening, ReportVersion
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.queries import patient_view, site_view
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import IN_QUEUE, Workitem
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.index.tables import Patient, Study
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import Priority, PriorityReason
from storage.registry import Organisation

_SHOWN: Final = 50
_ANSWERED_SINCE: Final = timedelta(hours=24)
_CHEST_PAIN: Final = Order.priority_reason == PriorityReason.CHEST_PAIN
_STAT_ECG: Final = (Workitem.lane == Lane.ECG, Workitem.priority == Priority.STAT)


@dataclass(frozen=True, slots=True)
class EmergencyEcg:
    """An ECG, its site, whether its order says chest pain, and when what happened."""

    workitem_id: UUID
    site: Organisation
    chest_pain: bool
    facts: Facts


def of_workitem(session: Session, scope: Scope, workitem_id: UUID, zone: ZoneInfo) -> EmergencyEcg:
    """Return what is recorded of a STAT or chest-pain ECG.

    zone: of the device's wall clock.

    Raises:
        Problem: 404 when it is not visible, or no emergency's.
    """
    row = session.execute(_facts(scope).where(Workitem.id == workitem_id)).one_or_none()
    if row is None or not (row.chest_pain or row.Workitem.priority is Priority.STAT):
        raise not_found("The emergency ECG")
    return _ecg(row, zone)


def chest_pain_ecgs(
    session: Session, scope: Scope, since: datetime, until: datetime, zone: ZoneInfo
) -> Mapping[UUID, EmergencyEcg]:
    """Return the chest-pain ECGs received from `since` to `until`, by time of receipt."""
    rows = session.execute(
        _facts(scope)
        .where(
            _CHEST_PAIN,
            # Nothing is in the queue before it has come: by the index on site and time.
            Workitem.queued_at >= since,
            Study.first_received_at >= since,
            Study.first_received_at < until,
        )
        .order_by(Study.first_received_at, Workitem.id)
    )
    return {row.Workitem.id: _ecg(row, zone) for row in rows}


def waiting(session: Session, scope: Scope) -> WaitingEcgs:
    """Return the STAT ECGs that nobody has claimed."""
    rows = session.execute(
        _listed(scope)
        .where(*_STAT_ECG, IN_QUEUE, Workitem.state == State.QUEUED)
        .order_by(Workitem.queued_at)
        .limit(_SHOWN)
    )
    return WaitingEcgs(
        items=[
            WaitingEcg(
                workitem_id=item.id,
                site=site_view(site),
                patient=patient_view(patient, study),
                chest_pain=chest_pain,
                received_at=study.first_received_at,
                warn_at=item.warn_at,
                due_at=item.due_at,
            )
            for item, study, patient, site, chest_pain in rows
        ]
    )


def answered(session: Session, scope: Scope) -> AnsweredEcgs:
    """Return the STAT ECGs of the last day whose newest report nobody at the site has opened."""
    newest = (
        select(
            ReportVersion.id,
            ReportVersion.workitem_id,
            ReportVersion.issued_at,
            ReportVersion.status,
        )
        .ext(distinct_on(ReportVersion.workitem_id))
        .where(ReportVersion.issued_at >= utc_now() - _ANSWERED_SINCE)
        .order_by(ReportVersion.workitem_id, ReportVersion.number.desc())
        .subquery()
    )
    opened = (
        select(literal(1))
        .where(
            ReportOpening.report_version_id == newest.c.id,
            ReportOpening.organisation_id == scope.organisation_id,
        )
        .exists()
    )
    rows = session.execute(
        _listed(scope)
        .add_columns(newest.c.issued_at, newest.c.status)
        .join(newest, newest.c.workitem_id == Workitem.id)
        .where(*_STAT_ECG, Workitem.state != State.REVOKED, ~opened)
        .order_by(newest.c.issued_at.desc())
        .limit(_SHOWN)
    )
    return AnsweredEcgs(
        items=[
            AnsweredEcg(
                workitem_id=item.id,
                patient=patient_view(patient, study),
                chest_pain=chest_pain,
                preliminary=status == "preliminary",
                issued_at=issued_at,
            )
            for item, study, patient, _site, chest_pain, issued_at, status in rows
        ]
    )


def _listed(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Workitem,
            Study,
            Patient,
            Organisation,
            func.coalesce(_CHEST_PAIN, literal(value=False)).label("chest_pain"),
        )
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Workitem.site_id)
        .join(StudyOrder, StudyOrder.study_id == Study.id, isouter=True)
        .join(Order, Order.id == StudyOrder.order_id, isouter=True)
        .where(scope.sees(Workitem.site_id))
    )


def _facts(scope: Scope) -> Select[*tuple[Any, ...]]:
    """Select ECGs with the first claim and the first opening, which their rows do not keep."""
    claimed = (
        select(func.min(AuditRecord.at))
        .where(
            AuditRecord.subject_kind == "workitem",
            AuditRecord.subject_id == cast(Workitem.id, String),
            AuditRecord.action == "workitem:claim",
        )
        .correlate(Workitem)
        .scalar_subquery()
    )
    issued = (
        select(func.min(ReportVersion.issued_at))
        .where(ReportVersion.workitem_id == Workitem.id)
        .correlate(Workitem)
        .scalar_subquery()
    )
    read = (
        select(func.min(ReportOpening.opened_at))
        .join(ReportVersion, ReportVersion.id == ReportOpening.report_version_id)
        .where(
            ReportVersion.workitem_id == Workitem.id,
            ReportOpening.organisation_id == Workitem.site_id,
        )
        .correlate(Workitem)
        .scalar_subquery()
    )
    return (
        _listed(scope)
        .add_columns(
            Order.first_contact_at,
            claimed.label("claimed"),
            issued.label("issued"),
            read.label("read"),
        )
        .where(Workitem.lane == Lane.ECG)
    )


def _ecg(row: Row[Any], zone: ZoneInfo) -> EmergencyEcg:
    study: Study = row.Study
    acquired = None
    if study.study_date is not None and study.study_time is not None:
        acquired = datetime.combine(study.study_date, study.study_time, zone)
    return EmergencyEcg(
        workitem_id=row.Workitem.id,
        site=row.Organisation,
        chest_pain=row.chest_pain,
        facts=Facts(
            received_at=study.first_received_at,
            contact_at=row.first_contact_at,
            acquired_at=acquired,
            opened_at=row.claimed,
            diagnosed_at=row.issued,
            acknowledged_at=row.read,
        ),
    )
