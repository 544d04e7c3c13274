"""Opening earlier studies of the patient who is read.

Each function works in its caller's transaction.

Studies of the reading's own site are its own. Those of other sites are shown where an agreement of
the day allows it, and where the reader has said why: once for each patient, and for so long as that
stands.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.events import Event, publish
from reading_worklist.priors.queries import Prior, PriorsOfReading, priors_of, reading_of, view
from reading_worklist.priors.review import auditors_of
from reading_worklist.priors.schemas import (
    OpenedPrior,
    PriorReport,
    Priors,
    ReasonBody,
    ReasonView,
)
from reading_worklist.priors.tables import PriorAccess, PriorOpening, Purpose
from reading_worklist.problems import Problem, not_found
from reading_worklist.reports.document import from_content
from reading_worklist.reports.tables import ReportRecall, ReportSubmission, ReportVersion
from storage import audit
from storage.clock import utc_now
from storage.registry import Person, Role

EMERGENCY_STANDS: Final = timedelta(hours=1)
IN_EMERGENCY: Final = (Role.WRITER, Role.REVIEWER)
_COMPARE: Final = "rdc/compare"
"""The arrangement of two studies beside each other that `viewer/config.js` makes."""


def shown(session: Session, scope: Scope, workitem_id: UUID) -> Priors:
    """Return the other studies of a reading's patient.

    Raises:
        Problem: 403 for who does not read, 404 for an unseen workitem.
    """
    priors = priors_of(session, scope, workitem_id)
    elsewhere = [one for one in priors.found if priors.is_elsewhere(one)]
    agreed = sum(one.study.site_id in priors.agreed for one in elsewhere)
    reason = priors.reason
    return Priors(
        items=[view(priors.reading, one) for one in priors.found if priors.is_visible(one)],
        elsewhere=agreed,
        not_agreed=len(elsewhere) - agreed,
        reason_needed=agreed > 0 and reason is None,
        reason=_said(reason),
        emergency=_said(priors.emergency),
        may_force=not scope.roles.isdisjoint(IN_EMERGENCY),
    )


def _said(reason: PriorAccess | None) -> ReasonView | None:
    if reason is None:
        return None
    return ReasonView(purpose=reason.purpose, note=reason.note, at=reason.at, until=reason.until)


def give_reason(
    session: Session, scope: Scope, workitem_id: UUID, body: ReasonBody, stands: timedelta
) -> None:
    """Record why the asker needs other sites' studies of a patient; a reason that stands stays.

    Raises:
        Problem: 403 for who does not read, 404 for an unseen workitem.
    """
    if priors_of(session, scope, workitem_id).reason is not None:
        return
    now = utc_now()
    session.add(
        PriorAccess(
            workitem_id=workitem_id,
            patient_id=reading_of(session, scope, workitem_id).study.patient_id,
            person_id=scope.person_id,
            organisation_id=scope.organisation_id,
            purpose=body.purpose,
            note=body.note.strip(),
            at=now,
            until=now + stands,
        )
    )
    session.flush()
    audit.record(
        session,
        scope.actor,
        "prior:reason",
        subject_kind="workitem",
        subject_id=workitem_id,
        detail={"purpose": body.purpose, "until": (now + stands).isoformat()},
    )


def force(session: Session, scope: Scope, workitem_id: UUID, note: str) -> None:
    """Open the patient's studies of sites that show none by agreement, since it is an emergency.

    It stands for `EMERGENCY_STANDS`, for this patient and this person. Whoever audits the
    consortium is told at once, and says later whether it was justified.

    Raises:
        Problem: 403 for who does not write or review, 404 for an unseen workitem.
    """
    scope.require(*IN_EMERGENCY)
    priors = priors_of(session, scope, workitem_id)
    if priors.emergency is not None:
        return
    now = utc_now()
    access = PriorAccess(
        workitem_id=workitem_id,
        patient_id=priors.reading.study.patient_id,
        person_id=scope.person_id,
        organisation_id=scope.organisation_id,
        purpose=Purpose.EMERGENCY,
        note=note,
        in_emergency=True,
        at=now,
        until=now + EMERGENCY_STANDS,
    )
    session.add(access)
    session.flush()
    audit.record(
        session,
        scope.actor,
        "prior:emergency",
        subject_kind="workitem",
        subject_id=workitem_id,
        detail={"access": str(access.id), "until": access.until.isoformat()},
    )
    site_id = priors.reading.item.site_id
    for auditor in auditors_of(session, site_id):
        publish(session, Event("emergency_access", site_id, {"id": str(access.id)}, auditor))


def open_prior(session: Session, scope: Scope, workitem_id: UUID, study_id: UUID) -> OpenedPrior:
    """Return where the viewer shows an earlier study, and record that it was opened.

    Raises:
        Problem: 403 for who does not read, or without a reason for a study of another site; 404
            for what is not among the visible studies of the reading's patient.
    """
    priors = priors_of(session, scope, workitem_id)
    prior = _allowed(priors, study_id)
    session.add(
        PriorOpening(
            workitem_id=workitem_id,
            study_id=study_id,
            person_id=scope.person_id,
            organisation_id=scope.organisation_id,
        )
    )
    _record(session, scope, "prior:open", priors, prior)
    theirs, ours = prior.study.study_instance_uid, priors.reading.study.study_instance_uid
    return OpenedPrior(
        study_id=study_id,
        viewer_url=_viewer_url(workitem_id, theirs),
        compare_url=_viewer_url(workitem_id, ours, theirs),
    )


def report(session: Session, scope: Scope, workitem_id: UUID, study_id: UUID) -> PriorReport:
    """Return the report of an earlier study that stands, and record that it was read.

    Raises:
        Problem: as for `open_prior`; 404 also where no report stands.
    """
    priors = priors_of(session, scope, workitem_id)
    prior = _allowed(priors, study_id)
    writer, reviewer = aliased(Person), aliased(Person)
    row = (
        None
        if prior.item is None
        else session.execute(
            select(ReportVersion, ReportSubmission, writer, reviewer)
            .join(ReportSubmission, ReportSubmission.id == ReportVersion.submission_id)
            .join(writer, writer.id == ReportVersion.writer_id)
            .join(reviewer, reviewer.id == ReportVersion.reviewer_id, isouter=True)
            .join(ReportRecall, ReportRecall.report_version_id == ReportVersion.id, isouter=True)
            .where(
                ReportVersion.workitem_id == prior.item.id, ReportRecall.report_version_id.is_(None)
            )
            .order_by(ReportVersion.number.desc())
            .limit(1)
        ).one_or_none()
    )
    if row is None:
        raise not_found("The report of the earlier study")
    version, submission, by, checked_by = row
    _record(session, scope, "prior:report", priors, prior)
    document = from_content(submission.content)
    second: Person | None = checked_by
    return PriorReport(
        study_id=study_id,
        number=version.number,
        status=version.status,
        issued_at=version.issued_at,
        diagnosing=document.diagnosing.name,
        writer=by.display_name,
        reviewer=second.display_name if second else None,
        findings=document.findings,
        impression=document.impression,
        advice=document.advice,
        comparison=document.comparison,
    )


def _allowed(priors: PriorsOfReading, study_id: UUID) -> Prior:
    found = next((one for one in priors.found if one.study.id == study_id), None)
    if found is None or not priors.is_agreed(found):
        raise not_found("The earlier study")
    if not priors.is_visible(found):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "reason-needed",
            "The study is of another site, and it was not said why it is needed",
            expected="a reason, once for this patient",
            remedy="Give the reason, then open it.",
        )
    return found


def _record(
    session: Session, scope: Scope, action: str, priors: PriorsOfReading, prior: Prior
) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="study",
        subject_id=prior.study.id,
        detail={
            "workitem": str(priors.reading.item.id),
            "site": prior.site.code,
            "basis": priors.reading.patients[prior.study.patient_id],
        },
    )


def _viewer_url(workitem_id: UUID, *uids: str) -> str:
    """Return the viewer's address for studies of one reading, two of them beside each other."""
    query = {"StudyInstanceUIDs": ",".join(uids), "reading": str(workitem_id)}
    if len(uids) > 1:
        query["hangingprotocolid"] = _COMPARE
    return f"/viewer/viewer?{urlencode(query, safe=',@/')}"
