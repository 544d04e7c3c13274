"""From the saved draft to a document with its writer's signature.

The document is made outside of any transaction; `service` says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values import queries as critical_values
from reading_worklist.key_images.pictures import Undrawn, drawn, undrawn
from reading_worklist.problems import Problem, conflict
from reading_worklist.reports import queries
from reading_worklist.reports.assembly import ReportText, report_document
from reading_worklist.reports.concluding import concluded
from reading_worklist.reports.document import (
    Addendum,
    PrintedImage,
    ReportDocument,
    ReportStatus,
    kept,
    to_content,
)
from reading_worklist.reports.documents import StoredPdf, store_pdf
from reading_worklist.reports.ecg_block import ecg_block
from reading_worklist.reports.ecg_draft import NOTHING, DraftEcg
from reading_worklist.reports.exam_facts import known_exam
from reading_worklist.reports.exposure import exposure, telling_objects
from reading_worklist.reports.rendering import render
from reading_worklist.reports.signing_checks import (
    Overridden,
    Reasons,
    checked,
    keep,
    pass_or_refuse,
)
from reading_worklist.reports.states import AmendmentKind
from reading_worklist.reports.tables import (
    ReportAmendment,
    ReportDraft,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.services import Services
from reading_worklist.signing.appearance import SignatureAppearance
from reading_worklist.signing.pades import sign_as_writer
from reading_worklist.signing.unlocking import Signer
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.states import Action
from reading_worklist.workitems.tables import Lane
from storage import audit
from storage.clock import utc_now


@dataclass(frozen=True, slots=True)
class Prepared:
    """The facts of a report that shall be signed, and what is drawn into it from stored objects."""

    document: ReportDocument
    study_id: UUID
    images: tuple[Undrawn, ...] = ()
    overridden: tuple[Overridden, ...] = ()
    ecg: DraftEcg = NOTHING


@dataclass(frozen=True, slots=True)
class Signed:
    """A report as its writer has signed it, and the stored document."""

    document: ReportDocument
    stored: StoredPdf


def prepare(
    services: Services,
    session: Session,
    scope: Scope,
    workitem_id: UUID,
    *,
    revision: int,
    reasons: Reasons,
    action: Action = Action.SUBMIT,
) -> Prepared:
    """Return the report of the saved draft as its writer would sign it now.

    revision: of the draft that the writer saw. reasons: why he signs over warnings of the checks.

    Raises:
        Problem: 409 when the draft changed or the state does not allow `action`, 422 when the text
            is not complete or the checks find what it cannot be signed with.
    """
    item = workitems.locked(session, scope, workitem_id)
    check(item, action, scope)
    draft = session.get(ReportDraft, workitem_id)
    same_revision(draft.revision if draft else 0, revision)
    if draft is None or not draft.impression.strip():
        raise incomplete("The report has no impression", "impression")
    if not draft.findings.strip() and item.lane != Lane.ECG:
        raise incomplete("The report has no findings", "findings")
    overridden = pass_or_refuse(checked(draft, known_exam(session, item)), reasons)
    amendment = queries.open_amendment(session, workitem_id)
    adds = amendment is not None and amendment.kind is AmendmentKind.ADDENDUM
    if adds and not draft.addendum.strip():
        raise incomplete("The addendum has no text", "addendum")
    text = ReportText(
        draft.findings.strip(),
        draft.impression.strip(),
        draft.advice.strip(),
        comparison=draft.comparison.strip(),
    )
    document = report_document(
        session,
        scope,
        item,
        text,
        public_url=services.config.public_url,
        time_zone=services.config.time_zone,
    )
    zone = services.config.time_zone
    document = replace(
        document,
        critical_notice=critical_values.printed(session, item.id, zone),
        codes=draft.codes,
    )
    if amendment is not None:
        document = _amended(session, document, amendment, draft.addendum.strip())
    images = undrawn(session, workitem_id)
    document = replace(document, key_images=tuple(one.image for one in images))
    ecg = DraftEcg.model_validate(draft.ecg)
    return Prepared(document, item.study_id, images, overridden, ecg)


def _amended(
    session: Session, document: ReportDocument, amendment: ReportAmendment, addendum: str
) -> ReportDocument:
    """Return the document as the next version; what was added to the one that stands stays."""
    version = session.get_one(ReportVersion, amendment.report_version_id)
    standing = queries.stored_document(session.get_one(ReportSubmission, version.submission_id))
    if amendment.kind is AmendmentKind.CHANGE:
        return replace(
            document,
            status=ReportStatus.AMENDED,
            amendment_reason=amendment.reason,
            addenda=standing.addenda,
        )
    return replace(
        document,
        status=ReportStatus.APPENDED,
        addenda=(*standing.addenda, Addendum(text=addendum, written_at=utc_now())),
        ecg=standing.ecg,
    )


def with_pictures(services: Services, prepared: Prepared, language: Language) -> ReportDocument:
    """Return the report with its key images and the values and traces of an ECG.

    Reads objects: call it outside of a transaction.

    Raises:
        Problem: 422 when the pixels of a key image cannot be shown.
    """
    with services.database.transaction() as session:
        telling = telling_objects(session, prepared.study_id)
    said = exposure(services.objects, telling)
    document = replace(
        prepared.document,
        key_images=drawn(services.objects, prepared.images),
        dose=said.dose,
        contrast=said.contrast,
    )
    if not document.is_ecg:
        return document
    block = ecg_block(
        services.database,
        services.objects,
        prepared.study_id,
        time_zone=services.config.time_zone,
        language=language,
        draft=prepared.ecg,
    )
    if document.ecg is not None:
        # An addendum: what was signed stays, and only its drawing is made again.
        return replace(document, ecg=replace(document.ecg, traces=block.traces))
    picked = prepared.ecg.still_said(document.impression)
    return replace(document, ecg=replace(block, statements=picked))


def sign(
    services: Services,
    signer: Signer,
    workitem_id: UUID,
    document: ReportDocument,
    *,
    language: Language,
    signed_at: datetime,
    last: bool = False,
) -> Signed:
    """Draw the document, sign it as its writer, and store it.

    last: whether no other signature follows.

    Raises:
        SigningRefused: the key.
    """
    document = replace(document, reported_at=signed_at)
    pdf = sign_as_writer(
        render(document, language, services.typesetter),
        signer,
        appearance=SignatureAppearance(language, services.config.time_zone),
        typesetter=services.typesetter,
        signed_at=signed_at,
        alone=bool(document.single_signature_basis),
    )
    if last:
        pdf = concluded(services, pdf, signed_at)
    return Signed(document, store_pdf(services.objects, workitem_id, pdf, signed_at))


def add(
    session: Session,
    scope: Scope,
    workitem_id: UUID,
    signed: Signed,
    language: Language,
    *,
    overridden: tuple[Overridden, ...],
) -> ReportSubmission:
    """Add the submission of a signed document, and over which warnings it was signed.

    Raises:
        Problem: 409 when other key images were chosen since it was drawn.
    """
    if tuple(one.image for one in undrawn(session, workitem_id)) != _without_pictures(signed):
        raise conflict(
            "key-images-changed",
            "The key images have changed in the meantime",
            remedy="Look at them again.",
        )
    earlier = queries.latest_submission(session, workitem_id)
    document = signed.document
    submission = ReportSubmission(
        workitem_id=workitem_id,
        number=earlier.number + 1 if earlier else 1,
        writer_id=scope.person_id,
        findings=document.findings,
        impression=document.impression,
        advice=document.advice,
        comparison=document.comparison,
        addendum=document.addenda[-1].text if document.status is ReportStatus.APPENDED else "",
        codes=dict(document.codes),
        content=to_content(kept(signed.document)),
        language=language,
        verification_code=document.verification_code,
        pdf_object_key=signed.stored.key,
        pdf_sha256=signed.stored.sha256,
        submitted_at=signed.stored.at,
    )
    session.add(submission)
    session.flush()
    keep(session, scope, submission, overridden)
    _record_values(session, scope, submission, document)
    return submission


def _record_values(
    session: Session, scope: Scope, submission: ReportSubmission, document: ReportDocument
) -> None:
    """Record which values of an ECG the writer set otherwise than they were measured."""
    values = document.ecg.measurements if document.ecg else ()
    centre = {one.name: one.value for one in values if one.source == "centre"}
    changed = {
        one.name: {"centre": centre.get(one.name), "confirmed": one.value}
        for one in values
        if one.source == "confirmed" and one.value != centre.get(one.name)
    }
    if changed:
        audit.record(
            session,
            scope.actor,
            "report:set_ecg_values",
            subject_kind="report_submission",
            subject_id=submission.id,
            detail=changed,
        )


def same_revision(stored: int, seen: int) -> None:
    """Pass when the draft is the one that was seen.

    Raises:
        Problem: 409.
    """
    if stored != seen:
        raise stale(stored, seen)


def stale(stored: int, seen: int, members: Mapping[str, Any] | None = None) -> Problem:
    """Return the answer for who has not seen the draft as it is stored.

    members: the stored text, for a page that shows it beside its own.
    """
    return Problem(
        HTTPStatus.CONFLICT,
        "stale-draft",
        "The draft was saved elsewhere in the meantime",
        expected=f"revision {stored}",
        found=f"revision {seen}",
        remedy="Reload the draft, then add your changes.",
        members=members,
    )


def incomplete(what: str, field: str) -> Problem:
    """Return the answer for a report or an act that lacks a text."""
    return Problem(422, "incomplete-report", what, expected=f"text in '{field}'", remedy="Fill in.")


def _without_pictures(signed: Signed) -> tuple[PrintedImage, ...]:
    return tuple(replace(one, picture=b"") for one in signed.document.key_images)
