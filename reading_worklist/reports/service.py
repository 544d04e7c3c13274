"""Writing, signing, returning and opening a report.

Signing takes tens of milliseconds of typesetting and a write to the object
store, so it never happens inside a transaction: facts are read in a first one,
the document is made and stored, and a second one changes the state if nothing
has changed in between. A document whose second transaction did not come
through belongs to no report and is never shown.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.reports import queries
from reading_worklist.reports.assembly import ReportText, report_document
from reading_worklist.reports.document import ReportDocument, ReportStatus, to_content
from reading_worklist.reports.ecg_block import ecg_block
from reading_worklist.reports.rendering import render
from reading_worklist.reports.tables import (
    ReportDraft,
    ReportOpening,
    ReportReturn,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.services import Services
from reading_worklist.signing.appearance import SignatureAppearance
from reading_worklist.signing.credentials import unlock
from reading_worklist.signing.pades import sign_as_reviewer, sign_as_writer
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.schemas import DraftView
from reading_worklist.workitems.states import Action, State
from reading_worklist.workitems.tables import Lane, Workitem
from storage import audit, outbox
from storage.clock import utc_now
from storage.database import Database
from storage.messages import ReportIssued
from storage.objects import ObjectKey, ObjectStore

TEXT_LENGTH_MAX: Final = 20_000
COMMENT_LENGTH_MAX: Final = 2_000
_PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class OpenedReport:
    """A signed report as somebody opens it."""

    version_id: UUID
    pdf: bytes


@dataclass(frozen=True, slots=True)
class _SignedPdf:
    """A signed document in the object store."""

    key: ObjectKey
    sha256: str
    signed_at: datetime


def save_draft(
    services: Services, scope: Scope, workitem_id: UUID, text: ReportText, revision: int
) -> DraftView:
    """Keep what the writer has typed, and renew the lease.

    revision: the one the page started from; 0 before the first save.

    Raises:
        Problem: 409 when the draft was saved elsewhere since, or `rules.check` refuses.
    """
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        check(item, Action.SAVE_DRAFT, scope)
        draft = session.get(ReportDraft, workitem_id)
        if draft is None:
            draft = ReportDraft(workitem_id=workitem_id, author_id=scope.person_id, revision=0)
            session.add(draft)
        _same_revision(draft.revision, revision)
        draft.author_id = scope.person_id
        draft.findings = text.findings
        draft.impression = text.impression
        draft.advice = text.advice
        draft.revision += 1
        draft.saved_at = utc_now()
        workitems.hold(item, scope.person_id, services.config.claim_lease)
        return DraftView(
            findings=draft.findings,
            impression=draft.impression,
            advice=draft.advice,
            revision=draft.revision,
            saved_at=draft.saved_at,
        )


def submit(
    services: Services,
    scope: Scope,
    workitem_id: UUID,
    *,
    revision: int,
    signing_pin: str,
    language: Language = Language.ZH_CN,
) -> None:
    """Make the document of the saved draft, sign it as its writer and hand it to review.

    revision: of the draft that the writer saw when signing.
    language: of the document's headings and words; the text is as it was written.

    Raises:
        Problem: 409 when the draft changed or the state does not allow it, 422 when the text is
            not complete.
        SigningRefused: the PIN or the key.
    """
    with services.database.transaction() as session:
        document, study_id = _document_to_submit(services, session, scope, workitem_id, revision)
    signer = unlock(services.database, scope.person_id, signing_pin)
    if document.is_ecg:
        document = replace(
            document,
            ecg=ecg_block(
                services.database, services.objects, study_id, services.config.time_zone, language
            ),
        )
    signed_at = utc_now()
    document = replace(document, reported_at=signed_at)
    pdf = sign_as_writer(
        render(document, language, services.typesetter),
        signer,
        appearance=SignatureAppearance(language, services.config.time_zone),
        typesetter=services.typesetter,
        signed_at=signed_at,
    )
    stored = _store(services.objects, workitem_id, pdf, signed_at)
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.SUBMIT, scope)
        draft = session.get_one(ReportDraft, workitem_id)
        _same_revision(draft.revision, revision)
        earlier = queries.latest_submission(session, workitem_id)
        session.add(
            ReportSubmission(
                workitem_id=workitem_id,
                number=earlier.number + 1 if earlier else 1,
                writer_id=scope.person_id,
                findings=document.findings,
                impression=document.impression,
                advice=document.advice,
                content=to_content(_without_trace(document)),
                language=language,
                verification_code=document.verification_code,
                pdf_object_key=stored.key,
                pdf_sha256=stored.sha256,
                submitted_at=signed_at,
            )
        )
        item.submitted_at = signed_at
        workitems.let_go(item)
        workitems.move(session, item, after, Action.SUBMIT, scope.actor)


def give_back(services: Services, scope: Scope, workitem_id: UUID, comment: str) -> None:
    """Return a report under review to its writer, with the reason.

    Raises:
        Problem: see `rules.check`; 422 without a reason.
    """
    if not comment.strip():
        raise _incomplete("A return needs a reason", "comment")
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.RETURN, scope)
        submission = _under_review(session, item)
        session.add(
            ReportReturn(
                submission_id=submission.id,
                reviewer_id=scope.person_id,
                comment=comment.strip(),
                returned_at=utc_now(),
            )
        )
        workitems.let_go(item)
        workitems.move(session, item, after, Action.RETURN, scope.actor)


def finalise(services: Services, scope: Scope, workitem_id: UUID, signing_pin: str) -> None:
    """Put the reviewer's signature on exactly what the writer signed, and issue the report.

    Raises:
        Problem: 403 for one's own report, 409 when the state does not allow it.
        SigningRefused: the PIN or the key.
    """
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        check(item, Action.FINALISE, scope)
        submission = _under_review(session, item)
    signer = unlock(services.database, scope.person_id, signing_pin)
    signed_at = utc_now()
    pdf = sign_as_reviewer(
        read_pdf(services.objects, submission.pdf_object_key, submission.pdf_sha256),
        signer,
        appearance=SignatureAppearance(submission.language, services.config.time_zone),
        typesetter=services.typesetter,
        signed_at=signed_at,
    )
    stored = _store(services.objects, workitem_id, pdf, signed_at)
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.FINALISE, scope)
        if _under_review(session, item).id != submission.id:
            raise conflict("changed", "The report under review has changed", remedy="Reload.")
        _issue(session, scope, item, submission, after=after, stored=stored)


def open_report(
    database: Database, objects: ObjectStore, scope: Scope, workitem_id: UUID
) -> OpenedReport:
    """Return the newest signed report of a visible exam, and record who of the site opened it.

    Raises:
        Problem: 404 when the exam is not visible or has no signed report yet.
    """
    with database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        version = queries.latest_version(session, workitem_id)
        if version is None:
            raise not_found("A signed report")
    pdf = read_pdf(objects, version.pdf_object_key, version.pdf_sha256)
    with database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        session.add(
            ReportOpening(
                report_version_id=version.id,
                person_id=scope.person_id,
                organisation_id=scope.organisation_id,
            )
        )
        audit.record(
            session,
            scope.actor,
            "report:open",
            subject_kind="report_version",
            subject_id=version.id,
        )
        if item.opened_at is None:
            item.opened_at = utc_now()
        workitems.note_arrival(session, item, scope.actor)
        workitems.tell(session, item)
    return OpenedReport(version_id=version.id, pdf=pdf)


def read_pdf(objects: ObjectStore, key: str, sha256: str) -> bytes:
    """Return a stored document after comparing it with its digest in the database.

    Raises:
        Problem: 500 when the stored bytes are not those that were signed.
    """
    pdf = objects.read(ObjectKey.parse(key))
    if _sha256(pdf) != sha256:
        raise Problem(
            500,
            "document-damaged",
            "The stored report is not the one that was signed",
            remedy="Do not use it; tell your system administrator, who restores it from backup.",
        )
    return pdf


def _document_to_submit(
    services: Services, session: Session, scope: Scope, workitem_id: UUID, revision: int
) -> tuple[ReportDocument, UUID]:
    item = workitems.locked(session, scope, workitem_id)
    check(item, Action.SUBMIT, scope)
    draft = session.get(ReportDraft, workitem_id)
    _same_revision(draft.revision if draft else 0, revision)
    if draft is None or not draft.impression.strip():
        raise _incomplete("The report has no impression", "impression")
    if not draft.findings.strip() and item.lane != Lane.ECG:
        raise _incomplete("The report has no findings", "findings")
    text = ReportText(draft.findings.strip(), draft.impression.strip(), draft.advice.strip())
    document = report_document(
        session,
        scope,
        item,
        text,
        public_url=services.config.public_url,
        time_zone=services.config.time_zone,
    )
    return document, item.study_id


def _issue(
    session: Session,
    scope: Scope,
    item: Workitem,
    submission: ReportSubmission,
    *,
    after: State,
    stored: _SignedPdf,
) -> None:
    earlier = queries.latest_version(session, item.id)
    version = ReportVersion(
        id=uuid4(),
        workitem_id=item.id,
        number=earlier.number + 1 if earlier else 1,
        submission_id=submission.id,
        writer_id=submission.writer_id,
        reviewer_id=scope.person_id,
        status=ReportStatus.FINAL,
        pdf_object_key=stored.key,
        pdf_sha256=stored.sha256,
        issued_at=stored.signed_at,
    )
    session.add(version)
    item.finalised_at = stored.signed_at
    workitems.let_go(item)
    workitems.move(session, item, after, Action.FINALISE, scope.actor)
    document = queries.stored_document(submission)
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
            issued_at=stored.signed_at,
        ),
    )
    session.flush()
    workitems.move(session, item, State.PUBLISHED, Action.PUBLISH, scope.actor)


def _under_review(session: Session, item: Workitem) -> ReportSubmission:
    submission = queries.latest_submission(session, item.id)
    if submission is None:
        raise not_found("A submitted report")
    return submission


def _same_revision(stored: int, seen: int) -> None:
    if stored != seen:
        raise conflict(
            "stale-draft",
            "The draft was saved elsewhere in the meantime",
            expected=f"revision {stored}",
            found=f"revision {seen}",
            remedy="Reload the draft, then add your changes.",
        )


def _incomplete(what: str, field: str) -> Problem:
    return Problem(422, "incomplete-report", what, expected=f"text in '{field}'", remedy="Fill in.")


def _without_trace(document: ReportDocument) -> ReportDocument:
    """Drop the drawing: it is made again from the recording, which never changes."""
    if document.ecg is None:
        return document
    return replace(document, ecg=replace(document.ecg, traces=()))


def _store(objects: ObjectStore, workitem_id: UUID, pdf: bytes, signed_at: datetime) -> _SignedPdf:
    key = ObjectKey.parse(f"reports/{workitem_id}/{uuid4()}.pdf")
    objects.put(key, pdf, content_type=_PDF)
    return _SignedPdf(key, _sha256(pdf), signed_at)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
