"""Writing, signing, returning and opening a report.

Signing takes tens of milliseconds of typesetting and a write to the object
store, so it never happens inside a transaction: facts are read in a first one,
the document is made and stored, and a second one changes the state if nothing
has changed in between. A document whose second transaction did not come
through belongs to no report and is never shown.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict, not_found
from reading_worklist.reports import amendment, queries, submitting, unopened
from reading_worklist.reports.assembly import ReportText
from reading_worklist.reports.codes import Codes
from reading_worklist.reports.concluding import concluded
from reading_worklist.reports.documents import StoredPdf, read_pdf, store_pdf
from reading_worklist.reports.ecg_draft import DraftEcg
from reading_worklist.reports.exam_facts import known_exam
from reading_worklist.reports.issuing import issue
from reading_worklist.reports.signing_checks import (
    NO_REASONS,
    Reasons,
    checked,
    keep,
    known_keys,
    pass_or_refuse,
)
from reading_worklist.reports.structured import filing
from reading_worklist.reports.structured.report import SignedBy
from reading_worklist.reports.tables import (
    ReportDraft,
    ReportOpening,
    ReportReturn,
    ReportSubmission,
)
from reading_worklist.reports.time_stamps import newest_file
from reading_worklist.services import Services
from reading_worklist.signing.appearance import SignatureAppearance
from reading_worklist.signing.pades import sign_as_reviewer
from reading_worklist.templates import queries as templates
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.schemas import DraftView
from reading_worklist.workitems.states import Action, State
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore

TEXT_LENGTH_MAX: Final = 20_000
COMMENT_LENGTH_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer's page saves. template_id: the template inserted last; None keeps the known.

    ecg: the ECG part; None keeps the known.
    """

    text: ReportText
    codes: Codes
    template_id: UUID | None = None
    ecg: DraftEcg | None = None


@dataclass(frozen=True, slots=True)
class OpenedReport:
    """A signed report as somebody opens it; of a revoked one the id is the revocation's."""

    version_id: UUID
    pdf: bytes


def save_draft(
    services: Services,
    scope: Scope,
    workitem_id: UUID,
    written: Written,
    revision: int,
) -> DraftView:
    """Keep what the writer has typed, and renew the lease.

    revision: the one the page started from; 0 before the first save.

    Of an addendum nothing else is kept: the report that it is added to stays as it is.

    Raises:
        Problem: 409 with the stored text when the draft was saved elsewhere since, or when
            `rules.check` refuses.
    """
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        check(item, Action.SAVE_DRAFT, scope)
        draft = session.get(ReportDraft, workitem_id)
        if draft is None:
            draft = ReportDraft(workitem_id=workitem_id, author_id=scope.person_id, revision=0)
            session.add(draft)
        if draft.revision != revision:
            raise submitting.stale(
                draft.revision,
                revision,
                queries.draft_view(draft).model_dump(mode="json"),
            )
        draft.author_id = scope.person_id
        draft.addendum = written.text.addendum
        if not amendment.only_adds(session, item):
            draft.findings = written.text.findings
            draft.impression = written.text.impression
            draft.advice = written.text.advice
            draft.comparison = written.text.comparison
            draft.codes = written.codes.given()
            if written.ecg is not None:
                draft.ecg = written.ecg.model_dump(mode="json")
        if written.template_id is not None and written.template_id != draft.template_id:
            templates.visible(session, scope, written.template_id)
            draft.template_id = written.template_id
        draft.revision += 1
        draft.saved_at = utc_now()
        workitems.hold(item, scope.person_id, services.config.claim_lease)
        return queries.draft_view(draft)


def submit(
    services: Services,
    scope: Scope,
    workitem_id: UUID,
    *,
    revision: int,
    signing_pin: str,
    language: Language = Language.ZH_CN,
    reasons: Reasons = NO_REASONS,
) -> None:
    """Make the document of the saved draft, sign it as its writer and hand it to review.

    revision: of the draft that the writer saw when signing. reasons: why he signs over warnings.
    language: of the document's headings and words; the text is as it was written.

    Raises:
        Problem: 409 when the draft changed or the state does not allow it, 422 when the text is
            not complete.
        SigningRefused: the PIN or the key.
    """
    with services.database.transaction() as session:
        prepared = submitting.prepare(
            services, session, scope, workitem_id, revision=revision, reasons=reasons
        )
    signer = services.signer(scope, signing_pin)
    signed_at = utc_now()
    facts = submitting.with_pictures(services, prepared, language)
    signed = submitting.sign(
        services, signer, workitem_id, facts, language=language, signed_at=signed_at
    )
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.SUBMIT, scope)
        submitting.same_revision(session.get_one(ReportDraft, workitem_id).revision, revision)
        submitting.add(
            session, scope, workitem_id, signed, language, overridden=prepared.overridden
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
        raise submitting.incomplete("A return needs a reason", "comment")
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


def finalise(
    services: Services,
    scope: Scope,
    workitem_id: UUID,
    signing_pin: str,
    reasons: Reasons = NO_REASONS,
) -> None:
    """Put the reviewer's signature on exactly what the writer signed, and issue the report.

    reasons: why the reviewer signs over warnings that the writer gave none for: what is known of
        the exam may have changed since.

    Raises:
        Problem: 403 for one's own report, 409 when the state does not allow it, 422 when the checks
            find what it cannot be signed with.
        SigningRefused: the PIN or the key.
    """
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        check(item, Action.FINALISE, scope)
        submission = _under_review(session, item)
        overridden = pass_or_refuse(
            checked(submission, known_exam(session, item)),
            reasons,
            known=known_keys(session, submission.id),
        )
        place = filing.place_of(session, item)
        writer = filing.person_name_of(session, submission.writer_id)
        reviewer = filing.person_name_of(session, scope.person_id)
    signer = services.signer(scope, signing_pin)
    signed_at = utc_now()
    pdf = sign_as_reviewer(
        read_pdf(services.objects, submission.pdf_object_key, submission.pdf_sha256),
        signer,
        appearance=SignatureAppearance(submission.language, services.config.time_zone),
        typesetter=services.typesetter,
        signed_at=signed_at,
    )
    pdf = concluded(services, pdf, signed_at)
    stored = store_pdf(services.objects, workitem_id, pdf, signed_at)
    document = queries.stored_document(submission)
    centre = document.diagnosing.name
    version_id = uuid4()
    made = filing.kept(
        services.objects,
        place,
        filing.Issued(
            version_id,
            document,
            stored,
            submission.language,
            (
                SignedBy(writer, centre, submission.submitted_at),
                SignedBy(reviewer, centre, signed_at),
            ),
            title=document.title(submission.language),
            at=signed_at,
        ),
    )
    with services.database.transaction() as session:
        filing.file(session, made)
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.FINALISE, scope)
        if _under_review(session, item).id != submission.id:
            raise conflict("changed", "The report under review has changed", remedy="Reload.")
        keep(session, scope, submission, overridden)
        _issue(session, scope, item, submission, after=after, stored=stored, version_id=version_id)


def open_report(
    database: Database, objects: ObjectStore, scope: Scope, workitem_id: UUID
) -> OpenedReport:
    """Return the report of a visible exam that stands, and record who of the site opened it.

    Of a revoked report it is the tombstone.

    Raises:
        Problem: 404 when the exam is not visible or has no issued report yet.
    """
    with database.transaction() as session:
        workitems.locked(session, scope, workitem_id)
        version = queries.standing_version(session, workitem_id)
        void = None if version else queries.tombstone(session, workitem_id)
        file = newest_file(session, version) if version else None
    if version is None or file is None:
        if void is None or void.pdf_object_key is None or void.pdf_sha256 is None:
            raise not_found("A signed report")
        return OpenedReport(void.id, read_pdf(objects, void.pdf_object_key, void.pdf_sha256))
    pdf = read_pdf(objects, *file)
    with database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        standing = queries.standing_version(session, workitem_id)
        if standing is None or standing.id != version.id:
            raise conflict(
                "recalled", "The report was recalled a moment ago", remedy="Open it again."
            )
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
        unopened.end(item)
        if item.opened_at is None and item.finalised_at is not None:
            item.opened_at = utc_now()
        workitems.note_arrival(session, item, scope.actor)
        workitems.tell(session, item)
    return OpenedReport(version_id=version.id, pdf=pdf)


def _issue(
    session: Session,
    scope: Scope,
    item: Workitem,
    submission: ReportSubmission,
    *,
    after: State,
    stored: StoredPdf,
    version_id: UUID,
) -> None:
    # A final report that replaces a preliminary one needs no reason.
    reason = ""
    begun = queries.open_amendment(session, item.id)
    if begun is not None:
        reason = begun.reason
        begun.ended_at = stored.at
        begun.abandoned = False
    issue(
        session,
        scope,
        item,
        submission,
        stored,
        reviewer_id=scope.person_id,
        reason=reason,
        version_id=version_id,
    )
    action = Action.ISSUE_AMENDMENT if item.amending else Action.FINALISE
    item.amending = False
    # Facts of the version that stands from now on; the road is timed by the first one.
    item.delivered_at = None
    item.opened_at = None
    if item.finalised_at is None:
        item.finalised_at = stored.at
    workitems.let_go(item)
    workitems.move(session, item, after, action, scope.actor)
    workitems.move(session, item, State.PUBLISHED, Action.PUBLISH, scope.actor)


def _under_review(session: Session, item: Workitem) -> ReportSubmission:
    submission = queries.latest_submission(session, item.id)
    if submission is None:
        raise not_found("A submitted report")
    return submission
