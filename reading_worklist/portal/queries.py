"""What the portal's pages ask, within the site of who asks.

The portal tells how far an exam is and gives the signed report; drafts,
submissions and the names of doctors at work stay in the centre.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.portal.schemas import (
    ExamDetail,
    ExamFilter,
    ExamPage,
    ExamSteps,
    ExamView,
    PortalReport,
)
from reading_worklist.problems import not_found
from reading_worklist.reports import queries as report_queries
from reading_worklist.reports.tables import ReportOpening, ReportVersion
from reading_worklist.workitems import queries as workitem_queries
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Patient, Study
from storage.registry import Organisation

_READING: Final = frozenset({State.CLAIMED, State.WRITTEN, State.REVIEWING, State.RETURNED})
# As `Workitem.report_stands`.
_STANDS: Final = (Workitem.state != State.REVOKED) & (
    Workitem.preliminary_at.is_not(None) | Workitem.finalised_at.is_not(None)
)
STEPS: Final = ("queued", "reading", "signed", "delivered", "opened")


def exams(
    session: Session, scope: Scope, wanted: ExamFilter, *, page: int, page_size: int
) -> ExamPage:
    """Return one page of the visible exams, newest first."""
    conditions = [scope.sees(Workitem.site_id)]
    if wanted.step in STEPS:
        conditions.append(_at_step(wanted.step))
    if wanted.text and wanted.text.strip():
        conditions.append(workitem_queries.matches_text(wanted.text))
    if wanted.from_date is not None:
        conditions.append(Study.study_date >= wanted.from_date)
    joined = select(Workitem, Study, Patient, Organisation).join(
        Study, Study.id == Workitem.study_id
    )
    joined = joined.join(Patient, Patient.id == Study.patient_id).join(
        Organisation, Organisation.id == Workitem.site_id
    )
    joined = joined.where(*conditions)
    total = session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    rows = session.execute(
        joined.order_by(Workitem.queued_at.desc(), Workitem.id)
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    numbers = _version_numbers(session, [item.id for item, *_ in rows])
    return ExamPage(
        items=[
            _exam(item, study, patient, site, numbers.get(item.id))
            for item, study, patient, site in rows
        ],
        total=total,
        page=page,
        page_size=page_size,
    )


def exam(session: Session, scope: Scope, workitem_id: UUID) -> ExamDetail:
    """Return one exam with its signed reports.

    Raises:
        Problem: 404 when it does not exist or is another site's.
    """
    row = session.execute(
        select(Workitem, Study, Patient, Organisation)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Workitem.site_id)
        .where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    ).one_or_none()
    if row is None:
        raise not_found("The exam")
    item, study, patient, site = row
    versions = report_queries.versions(session, workitem_id)
    opened = dict(
        session.execute(
            select(ReportOpening.report_version_id, func.min(ReportOpening.opened_at))
            .where(ReportOpening.report_version_id.in_([version.id for version in versions]))
            .group_by(ReportOpening.report_version_id)
        ).all()
    )
    view = _exam(item, study, patient, site, versions[-1].number if versions else None)
    return ExamDetail(
        **view.model_dump(),
        reports=[
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
        ],
        deliveries=workitem_queries.delivery_steps(session, item),
        viewer_url=workitem_queries.viewer_url(study.study_instance_uid, site.code),
    )


def _version_numbers(session: Session, workitem_ids: list[UUID]) -> dict[UUID, int]:
    rows = session.execute(
        select(ReportVersion.workitem_id, func.max(ReportVersion.number))
        .where(ReportVersion.workitem_id.in_(workitem_ids))
        .group_by(ReportVersion.workitem_id)
    )
    return dict(rows.all())


def _step(item: Workitem) -> str:
    if item.opened_at is not None:
        return "opened"
    if item.delivered_at is not None:
        return "delivered"
    if item.report_stands:
        return "signed"
    return "reading" if item.state in _READING else "queued"


def _at_step(step: str) -> ColumnElement[bool]:
    """Return the SQL condition for `_step(item) == step`."""
    conditions: dict[str, ColumnElement[bool]] = {
        "opened": Workitem.opened_at.is_not(None),
        "delivered": Workitem.opened_at.is_(None) & Workitem.delivered_at.is_not(None),
        "signed": Workitem.opened_at.is_(None) & Workitem.delivered_at.is_(None) & _STANDS,
        "reading": Workitem.state.in_(_READING) & ~_STANDS,
        "queued": (Workitem.state == State.QUEUED) & ~_STANDS,
    }
    return conditions[step]


def _exam(
    item: Workitem, study: Study, patient: Patient, site: Organisation, version: int | None
) -> ExamView:
    return ExamView(
        id=item.id,
        lane=item.lane,
        priority=item.priority,
        step=_step(item),
        due_at=item.due_at,
        site=workitem_queries.site_view(site),
        patient=workitem_queries.patient_view(patient, study),
        study=workitem_queries.study_view(study),
        steps=ExamSteps(
            received_at=study.first_received_at,
            complete_at=study.completed_at,
            queued_at=item.queued_at,
            reading_since=item.claimed_at,
            signed_at=item.finalised_at,
            delivered_at=item.delivered_at,
            opened_at=item.opened_at,
        ),
        report_version=version,
    )
