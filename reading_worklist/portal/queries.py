"""What the portal's pages ask, within the site of who asks.

The portal tells how far an exam is and gives the signed report; drafts,
submissions and the names of doctors at work stay in the centre.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Row, case, func, select, tuple_
from sqlalchemy.orm import Session, selectinload

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values.states import UNHEARD
from reading_worklist.critical_values.tables import CriticalValue
from reading_worklist.modalities import examined
from reading_worklist.patient_age import Age
from reading_worklist.portal import finding
from reading_worklist.portal.finding import READING, Found, Kind
from reading_worklist.portal.road import ORDER_STEPS, ExamStep, attention_of
from reading_worklist.portal.schemas import (
    ExamDetail,
    ExamFilter,
    ExamPage,
    ExamPatient,
    ExamSteps,
    ExamStudy,
    ExamView,
    PortalReport,
)
from reading_worklist.problems import not_found
from reading_worklist.reports import queries as report_queries
from reading_worklist.reports.states import RecallKind
from reading_worklist.reports.tables import ReportOpening, ReportRecall, ReportVersion
from reading_worklist.routing.clocks import lane_of
from reading_worklist.workitems import queries as workitem_queries
from reading_worklist.workitems.schemas import VersionView
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Patient, Study
from storage.orders.states import PerformedState
from storage.orders.tables import Order, PerformedStep, StudyOrder
from storage.orders.words import OrderSource, Priority
from storage.person_name import display_name, latin_name
from storage.registry import Organisation


def exams(
    session: Session, scope: Scope, wanted: ExamFilter, *, page: int, page_size: int
) -> ExamPage:
    """Return one page of the visible exams, newest first."""
    found, total = finding.find(session, scope, wanted, page=page, page_size=page_size)
    views = shown(session, found)
    # An exam may have gone on between the two questions: then it is on the page the next time.
    items = [views[one] for one in found if one in views]
    return ExamPage(items=items, total=total, page=page, page_size=page_size)


def exam(session: Session, scope: Scope, exam_id: UUID) -> ExamDetail:
    """Return one exam, by the id of its reading, order or study, with its signed reports.

    Raises:
        Problem: 404 when it does not exist or is another site's.
    """
    found = finding.resolve(session, scope, exam_id)
    view = None if found is None else shown(session, [found]).get(found)
    if view is None:
        raise not_found("The exam")
    order = session.get(Order, view.order_id) if view.order_id else None
    item = session.get(Workitem, view.workitem_id) if view.workitem_id else None
    uid = view.study.study_instance_uid
    return ExamDetail(
        **view.model_dump(),
        department=order.department if order else None,
        requester=display_name(order.requester) if order and order.requester else None,
        clinical_diagnosis=order.clinical_diagnosis if order else None,
        reason=order.reason if order else None,
        reports=_reports(session, report_queries.versions(session, item.id)) if item else [],
        deliveries=workitem_queries.delivery_steps(session, item) if item else [],
        viewer_url=workitem_queries.viewer_url(uid, view.site.code) if uid else None,
    )


def step_of(item: Workitem) -> ExamStep:
    """Return the last step of an exam that is in the queue or has left it."""
    if item.opened_at is not None:
        return ExamStep.OPENED
    if item.delivered_at is not None:
        return ExamStep.DELIVERED
    if item.report_stands:
        return ExamStep.SIGNED
    return ExamStep.READING if item.state in READING else ExamStep.QUEUED


def expected_counts(
    session: Session, studies: Collection[tuple[UUID, str]]
) -> Mapping[tuple[UUID, str], int]:
    """Return by site and Study Instance UID how many instances devices say they made.

    A study of which a device has not finished, or told nothing, is left out.
    """
    rows = session.execute(
        select(
            PerformedStep.site_id,
            PerformedStep.study_instance_uid,
            func.sum(func.cardinality(PerformedStep.instance_uids)),
        )
        .where(tuple_(PerformedStep.site_id, PerformedStep.study_instance_uid).in_(studies))
        .group_by(PerformedStep.site_id, PerformedStep.study_instance_uid)
        .having(func.bool_and(PerformedStep.state != PerformedState.IN_PROGRESS))
    )
    return {(site_id, uid): int(count) for site_id, uid, count in rows if count}


def shown(session: Session, found: Sequence[Found]) -> dict[Found, ExamView]:
    """Return exams as pages show them, a few queries for all of them."""
    by_kind = {kind: [one.id for one in found if one.kind is kind] for kind in Kind}
    return {
        **_readings(session, by_kind[Kind.READING]),
        **_orders(session, by_kind[Kind.ORDER]),
        **_studies(session, by_kind[Kind.STUDY]),
    }


def _readings(session: Session, ids: Sequence[UUID]) -> dict[Found, ExamView]:
    if not ids:
        return {}
    rows = session.execute(
        select(Workitem, Study, Patient, Organisation, Order)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Workitem.site_id)
        .join(StudyOrder, StudyOrder.study_id == Study.id, isouter=True)
        .join(Order, Order.id == StudyOrder.order_id, isouter=True)
        .options(selectinload(Order.steps))
        .where(Workitem.id.in_(ids))
    ).all()
    expected = expected_counts(
        session, {(row[1].site_id, row[1].study_instance_uid) for row in rows}
    )
    reports = _newest(session, ids)
    unheard = frozenset(
        session.scalars(
            select(CriticalValue.workitem_id).where(
                CriticalValue.workitem_id.in_(ids), CriticalValue.state.in_(UNHEARD)
            )
        )
    )
    return {
        Found(Kind.READING, row[0].id): _reading(
            row, expected, reports.get(row[0].id), critical=row[0].id in unheard
        )
        for row in rows
    }


def _reading(
    row: Row[Workitem, Study, Patient, Organisation, Order],
    expected: Mapping[tuple[UUID, str], int],
    report: tuple[int, str] | None,
    *,
    critical: bool,
) -> ExamView:
    item, study, patient, site = row[0], row[1], row[2], row[3]
    # An outer join: the statement's type does not know that it may be missing.
    order: Order | None = row[4]
    asked = order if order and order.source is not OrderSource.HEADER else None
    missing = order.missing_instances if order else 0
    return ExamView(
        id=item.id,
        workitem_id=item.id,
        order_id=order.id if order else None,
        lane=item.lane,
        priority=item.priority,
        priority_reason=asked.priority_reason if asked else None,
        first_contact_at=asked.first_contact_at if asked else None,
        scheduled_at=_scheduled(asked),
        step=step_of(item),
        attention=attention_of(order.state if order else None, missing),
        critical=critical,
        due_at=item.due_at,
        site=workitem_queries.site_view(site),
        patient=_patient_of_study(patient, study),
        study=_study(study, asked, expected, missing),
        steps=ExamSteps(
            ordered_at=asked.requested_at if asked else None,
            checked_in_at=asked.checked_in_at if asked else None,
            acquired_at=asked.acquired_at if asked else None,
            received_at=study.first_received_at,
            complete_at=study.completed_at,
            queued_at=item.queued_at,
            reading_since=item.claimed_at,
            signed_at=(item.finalised_at or item.preliminary_at) if item.report_stands else None,
            delivered_at=item.delivered_at,
            opened_at=item.opened_at,
        ),
        report_version=report[0] if report else None,
        report_status=report[1] if report else None,
    )


def _orders(session: Session, ids: Sequence[UUID]) -> dict[Found, ExamView]:
    if not ids:
        return {}
    rows = session.execute(
        select(Order, Organisation)
        .join(Organisation, Organisation.id == Order.site_id)
        .options(selectinload(Order.steps))
        .where(Order.id.in_(ids))
    ).all()
    studies = finding.arriving(session, [order for order, _ in rows])
    expected = expected_counts(
        session, {(order.site_id, order.study_instance_uid) for order, _ in rows}
    )
    return {
        Found(Kind.ORDER, order.id): _order(order, site, studies.get(order.id), expected)
        for order, site in rows
    }


def _order(
    order: Order,
    site: Organisation,
    study: Study | None,
    expected: Mapping[tuple[UUID, str], int],
) -> ExamView:
    modalities = list(dict.fromkeys(step.modality for step in order.steps))
    return ExamView(
        id=order.id,
        workitem_id=None,
        order_id=order.id,
        lane=lane_of(modalities),
        priority=order.priority,
        priority_reason=order.priority_reason,
        first_contact_at=order.first_contact_at,
        scheduled_at=_scheduled(order),
        step=ExamStep.RECEIVING if study else ORDER_STEPS.get(order.state, ExamStep.ORDERED),
        attention=None,
        critical=False,
        due_at=None,
        site=workitem_queries.site_view(site),
        patient=ExamPatient(
            name=display_name(order.patient_name),
            latin_name=latin_name(order.patient_name),
            name_guessed=False,
            local_id=order.patient_local_id,
            sex=order.patient_sex,
            birth_date=order.patient_birth_date,
            age=_age(order.patient_birth_date, order.requested_at.date()),
        ),
        study=_study(study, order, expected, 0)
        if study
        else ExamStudy(
            study_instance_uid=None,
            study_date=None,
            study_time=None,
            description=order.procedure_description,
            accession_number=order.accession_number,
            modalities=modalities,
            body_part=order.body_part,
            laterality=order.laterality,
            contrast=order.contrast,
            instance_count=0,
            expected_count=expected.get((order.site_id, order.study_instance_uid)),
            missing_count=0,
        ),
        steps=ExamSteps(
            ordered_at=order.requested_at,
            checked_in_at=order.checked_in_at,
            acquired_at=order.acquired_at,
            received_at=study.first_received_at if study else None,
            complete_at=None,
            queued_at=None,
            reading_since=None,
            signed_at=None,
            delivered_at=None,
            opened_at=None,
        ),
        report_version=None,
        report_status=None,
    )


def _studies(session: Session, ids: Sequence[UUID]) -> dict[Found, ExamView]:
    if not ids:
        return {}
    rows = session.execute(
        select(Study, Patient, Organisation)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Study.site_id)
        .where(Study.id.in_(ids))
    ).all()
    expected = expected_counts(
        session, {(study.site_id, study.study_instance_uid) for study, *_ in rows}
    )
    return {
        Found(Kind.STUDY, study.id): ExamView(
            id=study.id,
            workitem_id=None,
            order_id=None,
            lane=lane_of(study.modalities),
            priority=Priority.ROUTINE,
            priority_reason=None,
            first_contact_at=None,
            scheduled_at=None,
            step=ExamStep.RECEIVING,
            attention=None,
            critical=False,
            due_at=None,
            site=workitem_queries.site_view(site),
            patient=_patient_of_study(patient, study),
            study=_study(study, None, expected, 0),
            steps=ExamSteps(
                ordered_at=None,
                checked_in_at=None,
                acquired_at=None,
                received_at=study.first_received_at,
                complete_at=study.completed_at,
                queued_at=None,
                reading_since=None,
                signed_at=None,
                delivered_at=None,
                opened_at=None,
            ),
            report_version=None,
            report_status=None,
        )
        for study, patient, site in rows
    }


def _study(
    study: Study,
    order: Order | None,
    expected: Mapping[tuple[UUID, str], int],
    missing: int,
) -> ExamStudy:
    return ExamStudy(
        study_instance_uid=study.study_instance_uid,
        study_date=study.study_date,
        study_time=study.study_time,
        description=study.study_description or (order.procedure_description if order else None),
        accession_number=study.accession_number or (order.accession_number if order else None),
        modalities=examined(study.modalities),
        body_part=order.body_part if order else None,
        laterality=order.laterality if order else None,
        contrast=order.contrast if order else None,
        instance_count=study.sent_count,
        expected_count=expected.get((study.site_id, study.study_instance_uid)),
        missing_count=missing,
    )


def _patient_of_study(patient: Patient, study: Study) -> ExamPatient:
    view = workitem_queries.patient_view(patient, study)
    return ExamPatient(**view.model_dump(exclude={"id"}))


def _age(born: date | None, on: date) -> str | None:
    return str(Age.between(born, on)) if born else None


def _scheduled(order: Order | None) -> datetime | None:
    return min((step.scheduled_at for step in order.steps), default=None) if order else None


def _newest(session: Session, workitem_ids: Collection[UUID]) -> dict[UUID, tuple[int, str]]:
    """Return by reading the number and status of the newest version; void is entered-in-error."""
    rows = session.execute(
        select(
            ReportVersion.workitem_id,
            ReportVersion.number,
            case(
                (ReportRecall.kind == RecallKind.REVOKED, "entered-in-error"),
                else_=ReportVersion.status,
            ),
        )
        .join(ReportRecall, ReportRecall.report_version_id == ReportVersion.id, isouter=True)
        .where(ReportVersion.workitem_id.in_(workitem_ids))
        .order_by(ReportVersion.number)
    )
    return {workitem_id: (number, status) for workitem_id, number, status in rows}


def _reports(session: Session, versions: Sequence[VersionView]) -> list[PortalReport]:
    """Return the reports of an exam, the newest first."""
    opened = dict(
        session.execute(
            select(ReportOpening.report_version_id, func.min(ReportOpening.opened_at))
            .where(ReportOpening.report_version_id.in_([version.id for version in versions]))
            .group_by(ReportOpening.report_version_id)
        ).all()
    )
    return [
        PortalReport(
            version_id=one.id,
            number=one.number,
            status=one.status,
            issued_at=one.issued_at,
            pdf_sha256=one.pdf_sha256,
            writer=one.writer.display_name,
            reviewer=one.reviewer.display_name if one.reviewer else None,
            recall=one.recall,
            opened_at=opened.get(one.id),
        )
        for one in reversed(versions)
    ]
