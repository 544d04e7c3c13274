"""What pages ask about a report. Callers have checked that the workitem is visible."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.reports.codes import Codes
from reading_worklist.reports.document import ReportDocument, from_content
from reading_worklist.reports.ecg_draft import DraftEcg
from reading_worklist.reports.states import AmendmentKind, RevocationState
from reading_worklist.reports.tables import (
    ReportAmendment,
    ReportDraft,
    ReportOverride,
    ReportRecall,
    ReportReturn,
    ReportRevocation,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.workitems.schemas import (
    DraftView,
    OverrideView,
    PersonView,
    RecallView,
    ReturnView,
    RevocationView,
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
    return draft_view(row)


def draft_view(row: ReportDraft) -> DraftView:
    """Return a draft as pages show it."""
    return DraftView(
        findings=row.findings,
        impression=row.impression,
        advice=row.advice,
        comparison=row.comparison,
        addendum=row.addendum,
        codes=Codes.model_validate(row.codes),
        template_id=row.template_id,
        ecg=DraftEcg.model_validate(row.ecg or {}),
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
    overridden = _overridden(session, workitem_id)
    return [
        SubmissionView(
            id=one.id,
            number=one.number,
            writer=PersonView(id=writer.id, display_name=writer.display_name),
            submitted_at=one.submitted_at,
            findings=one.findings,
            impression=one.impression,
            advice=one.advice,
            comparison=one.comparison,
            addendum=one.addendum,
            codes=Codes.model_validate(one.codes),
            overridden=overridden.get(one.id, []),
            status=from_content(one.content).status,
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


def _overridden(session: Session, workitem_id: UUID) -> dict[UUID, list[OverrideView]]:
    rows = session.execute(
        select(ReportOverride, Person)
        .join(ReportSubmission, ReportSubmission.id == ReportOverride.submission_id)
        .join(Person, Person.id == ReportOverride.person_id)
        .where(ReportSubmission.workitem_id == workitem_id)
        .order_by(ReportOverride.overridden_at, ReportOverride.key)
    )
    found: dict[UUID, list[OverrideView]] = {}
    for one, by in rows:
        found.setdefault(one.submission_id, []).append(
            OverrideView(
                key=one.key,
                code=one.code,
                excerpt=one.excerpt,
                reason=one.reason,
                person=PersonView(id=by.id, display_name=by.display_name),
                at=one.overridden_at,
            )
        )
    return found


def versions(session: Session, workitem_id: UUID) -> list[VersionView]:
    """Return the issued versions of a workitem's report, oldest first."""
    reviewer = aliased(Person)
    rows = session.execute(
        select(ReportVersion, Person, reviewer, ReportRecall)
        .join(Person, Person.id == ReportVersion.writer_id)
        .join(reviewer, reviewer.id == ReportVersion.reviewer_id, isouter=True)
        .join(ReportRecall, ReportRecall.report_version_id == ReportVersion.id, isouter=True)
        .where(ReportVersion.workitem_id == workitem_id)
        .order_by(ReportVersion.number)
    )
    return [
        VersionView(
            id=one.id,
            number=one.number,
            writer=PersonView(id=writer.id, display_name=writer.display_name),
            reviewer=PersonView(id=by.id, display_name=by.display_name) if by else None,
            single_signature=one.single_signature_id is not None,
            issued_at=one.issued_at,
            pdf_sha256=one.pdf_sha256,
            status=one.status,
            recall=RecallView(
                kind=recall.kind,
                reason=recall.reason,
                at=recall.recalled_at,
                replaced_by=recall.replaced_by,
            )
            if recall
            else None,
        )
        for one, writer, by, recall in rows
    ]


def latest_submission(session: Session, workitem_id: UUID) -> ReportSubmission | None:
    """Return the newest submission of a workitem."""
    return session.scalar(
        select(ReportSubmission)
        .where(ReportSubmission.workitem_id == workitem_id)
        .order_by(ReportSubmission.number.desc())
        .limit(1)
    )


def standing_version(session: Session, workitem_id: UUID) -> ReportVersion | None:
    """Return the version that stands: issued, and neither replaced nor revoked."""
    return session.scalar(
        select(ReportVersion)
        .join(ReportRecall, ReportRecall.report_version_id == ReportVersion.id, isouter=True)
        .where(ReportVersion.workitem_id == workitem_id, ReportRecall.report_version_id.is_(None))
    )


def highest_number(session: Session, workitem_id: UUID) -> int:
    """Return the highest version number of a workitem's report, 0 before the first."""
    return (
        session.scalar(
            select(func.max(ReportVersion.number)).where(ReportVersion.workitem_id == workitem_id)
        )
        or 0
    )


def tombstone(session: Session, workitem_id: UUID) -> ReportRevocation | None:
    """Return the newest confirmed revocation of a workitem's report."""
    return session.scalar(
        select(ReportRevocation)
        .where(
            ReportRevocation.workitem_id == workitem_id,
            ReportRevocation.state == RevocationState.CONFIRMED,
        )
        .order_by(ReportRevocation.decided_at.desc())
        .limit(1)
    )


def open_revocation(session: Session, workitem_id: UUID) -> ReportRevocation | None:
    """Return the revocation of a workitem's report that waits for its second person, locked."""
    return session.scalar(
        select(ReportRevocation)
        .where(
            ReportRevocation.workitem_id == workitem_id,
            ReportRevocation.state == RevocationState.PROPOSED,
        )
        .with_for_update()
    )


def open_amendment(session: Session, workitem_id: UUID) -> ReportAmendment | None:
    """Return the amendment that has begun and not ended, locked."""
    return session.scalar(
        select(ReportAmendment)
        .where(ReportAmendment.workitem_id == workitem_id, ReportAmendment.ended_at.is_(None))
        .with_for_update()
    )


def amendment_kind(session: Session, workitem_id: UUID) -> AmendmentKind | None:
    """Return what the amendment that has begun and not ended makes of the report."""
    return session.scalar(
        select(ReportAmendment.kind).where(
            ReportAmendment.workitem_id == workitem_id, ReportAmendment.ended_at.is_(None)
        )
    )


def revocation_view(session: Session, workitem_id: UUID) -> RevocationView | None:
    """Return the newest proposal to revoke a workitem's report, whatever came of it."""
    proposer, decider = aliased(Person), aliased(Person)
    row = session.execute(
        select(ReportRevocation, proposer, decider)
        .join(proposer, proposer.id == ReportRevocation.proposed_by)
        .join(decider, decider.id == ReportRevocation.decided_by, isouter=True)
        .where(ReportRevocation.workitem_id == workitem_id)
        .order_by(ReportRevocation.proposed_at.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    one, by, second = row
    return RevocationView(
        state=one.state,
        reason=one.reason,
        proposed_by=PersonView(id=by.id, display_name=by.display_name),
        proposed_at=one.proposed_at,
        decided_by=PersonView(id=second.id, display_name=second.display_name) if second else None,
        decided_at=one.decided_at,
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
