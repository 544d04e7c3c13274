"""What pages ask about a report. Callers have checked that the workitem is visible."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.reports.document import ReportDocument, from_content
from reading_worklist.reports.tables import (
    ReportDraft,
    ReportReturn,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.workitems.schemas import (
    DraftView,
    PersonView,
    ReturnView,
    SubmissionView,
    VersionView,
)
from reading_worklist.workitems.tables import Workitem
from storage.registry import Person


def draft(session: Session, workitem_id: UUID) -> DraftView | None:
    """Return the draft of a workitem, None before the first save."""
    row = session.get(ReportDraft, workitem_id)
    if row is None:
        return None
    return DraftView(
        findings=row.findings,
        impression=row.impression,
        advice=row.advice,
        revision=row.revision,
        saved_at=row.saved_at,
    )


def submissions(session: Session, workitem_id: UUID) -> list[SubmissionView]:
    """Return the submissions of a workitem, oldest first, each with its return if there was one."""
    reviewer = aliased(Person)
    rows = session.execute(
        select(ReportSubmission, Person, ReportReturn, reviewer)
        .join(Person, Person.id == ReportSubmission.writer_id)
        .join(ReportReturn, ReportReturn.submission_id == ReportSubmission.id, isouter=True)
        .join(reviewer, reviewer.id == ReportReturn.reviewer_id, isouter=True)
        .where(ReportSubmission.workitem_id == workitem_id)
        .order_by(ReportSubmission.number)
    )
    return [
        SubmissionView(
            id=one.id,
            number=one.number,
            writer=PersonView(id=writer.id, display_name=writer.display_name),
            submitted_at=one.submitted_at,
            findings=one.findings,
            impression=one.impression,
            advice=one.advice,
            returned=ReturnView(
                reviewer=PersonView(id=by.id, display_name=by.display_name),
                comment=given_back.comment,
                at=given_back.returned_at,
            )
            if given_back
            else None,
        )
        for one, writer, given_back, by in rows
    ]


def versions(session: Session, workitem_id: UUID) -> list[VersionView]:
    """Return the signed versions of a workitem's report, oldest first."""
    reviewer = aliased(Person)
    rows = session.execute(
        select(ReportVersion, Person, reviewer)
        .join(Person, Person.id == ReportVersion.writer_id)
        .join(reviewer, reviewer.id == ReportVersion.reviewer_id)
        .where(ReportVersion.workitem_id == workitem_id)
        .order_by(ReportVersion.number)
    )
    return [
        VersionView(
            id=one.id,
            number=one.number,
            writer=PersonView(id=writer.id, display_name=writer.display_name),
            reviewer=PersonView(id=by.id, display_name=by.display_name),
            issued_at=one.issued_at,
            pdf_sha256=one.pdf_sha256,
            status=one.status,
        )
        for one, writer, by in rows
    ]


def latest_submission(session: Session, workitem_id: UUID) -> ReportSubmission | None:
    """Return the newest submission of a workitem."""
    return session.scalar(
        select(ReportSubmission)
        .where(ReportSubmission.workitem_id == workitem_id)
        .order_by(ReportSubmission.number.desc())
        .limit(1)
    )


def latest_version(session: Session, workitem_id: UUID) -> ReportVersion | None:
    """Return the newest signed version of a workitem's report."""
    return session.scalar(
        select(ReportVersion)
        .where(ReportVersion.workitem_id == workitem_id)
        .order_by(ReportVersion.number.desc())
        .limit(1)
    )


def visible_version(session: Session, scope: Scope, version_id: UUID) -> ReportVersion:
    """Return a signed version of an exam the person may see.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    version = session.scalar(
        select(ReportVersion)
        .join(Workitem, Workitem.id == ReportVersion.workitem_id)
        .where(ReportVersion.id == version_id, scope.sees(Workitem.site_id))
    )
    if version is None:
        raise not_found("The report")
    return version


def stored_document(submission: ReportSubmission) -> ReportDocument:
    """Return every printed fact of a submission, an ECG's drawing apart."""
    return from_content(submission.content)
