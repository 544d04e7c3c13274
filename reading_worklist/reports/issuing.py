"""A version goes out: the row, the recall of the one before it, and the message."""

from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.reports import queries, recalls
from reading_worklist.reports.documents import StoredPdf
from reading_worklist.reports.tables import ReportSubmission, ReportVersion
from reading_worklist.workitems.tables import Workitem
from storage import outbox
from storage.messages import ReportIssued


def issue(
    session: Session,
    scope: Scope,
    item: Workitem,
    submission: ReportSubmission,
    stored: StoredPdf,
    *,
    reviewer_id: UUID | None,
    reason: str,
) -> ReportVersion:
    """Issue a submission as the version that stands; the one that stood until now is recalled.

    stored: the document with every signature it shall have.
    reason: why an earlier version does not stand any more, if there is one.
    """
    document = queries.stored_document(submission)
    version = ReportVersion(
        id=uuid4(),
        workitem_id=item.id,
        number=queries.highest_number(session, item.id) + 1,
        submission_id=submission.id,
        writer_id=submission.writer_id,
        reviewer_id=reviewer_id,
        status=document.status,
        pdf_object_key=stored.key,
        pdf_sha256=stored.sha256,
        issued_at=stored.at,
    )
    standing = queries.standing_version(session, item.id)
    if standing is not None:
        recalls.supersede(session, scope, item, standing, replaced_by=version.id, reason=reason)
    session.add(version)
    session.flush()
    outbox.emit(
        session,
        ReportIssued(
            report_version_id=version.id,
            workitem_id=item.id,
            study_id=item.study_id,
            site_id=item.site_id,
            study_instance_uid=document.study_instance_uid,
            version_number=version.number,
            pdf_object_key=stored.key,
            pdf_sha256=stored.sha256,
            title=document.title(submission.language),
            issued_at=stored.at,
        ),
    )
    return version
