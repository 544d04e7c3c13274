"""Declaring an issued report void: a reviewer proposes, a consortium administrator confirms.

What is left is a tombstone: a document that says which report is void, since when and why. It has
no finding in it and no signature, since the two people's decision is what counts and is on record.
"""

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.reports import queries, recalls, submitting
from reading_worklist.reports.document import ReportDocument, ReportStatus
from reading_worklist.reports.documents import StoredPdf, store_pdf
from reading_worklist.reports.rendering import render
from reading_worklist.reports.states import RevocationAction, RevocationState, next_state
from reading_worklist.reports.structured import filing
from reading_worklist.reports.structured.report import SignedBy
from reading_worklist.reports.tables import ReportRevocation, ReportSubmission, ReportVersion
from reading_worklist.services import Services
from reading_worklist.typesetting.labels import Language, labels
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.states import Action
from storage import audit
from storage.clock import utc_now
from storage.registry import Role


def propose(services: Services, scope: Scope, workitem_id: UUID, reason: str) -> None:
    """Propose to declare the report that stands void.

    Raises:
        Problem: see `rules.check`; 409 when it is proposed already; 422 without a reason.
    """
    if not reason.strip():
        raise submitting.incomplete("A revocation needs a reason", "reason")
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.PROPOSE_REVOCATION, scope)
        version = queries.standing_version(session, workitem_id)
        if version is None:
            raise not_found("A report that stands")
        if queries.open_revocation(session, workitem_id) is not None:
            raise conflict(
                "revocation-proposed",
                "The revocation of this report is proposed already",
                remedy="A consortium administrator decides on it.",
            )
        session.add(
            ReportRevocation(
                id=uuid4(),
                workitem_id=workitem_id,
                report_version_id=version.id,
                state=RevocationState.PROPOSED,
                reason=reason.strip(),
                proposed_by=scope.person_id,
                proposed_at=utc_now(),
            )
        )
        workitems.move(session, item, after, Action.PROPOSE_REVOCATION, scope.actor)


def confirm(services: Services, scope: Scope, workitem_id: UUID) -> None:
    """Revoke the report as the second person: its tombstone goes to everybody who has it.

    Raises:
        Problem: see `rules.check`; 404 without a proposal; 403 for one's own.
    """
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        check(item, Action.REVOKE, scope)
        proposal = _open(session, workitem_id)
        _require_other(proposal, scope)
        version = session.get_one(ReportVersion, proposal.report_version_id)
        submission = session.get_one(ReportSubmission, version.submission_id)
        document = queries.stored_document(submission)
        place = filing.place_of(session, item)
        proposer = filing.person_name_of(session, proposal.proposed_by)
        confirmer = filing.person_name_of(session, scope.person_id)
    now = utc_now()
    language = submission.language
    notice = _tombstone(document, proposal.reason, language, now)
    pdf = render(notice, language, services.typesetter)
    stored = store_pdf(services.objects, workitem_id, pdf, now)
    title = f"{document.title(language)} {labels(language)['status'][notice.status.value]}"
    made = filing.kept(
        services.objects,
        place,
        filing.Issued(
            proposal.id,
            notice,
            stored,
            language,
            (
                SignedBy(proposer, document.diagnosing.name, proposal.proposed_at),
                SignedBy(confirmer, document.diagnosing.name, now),
            ),
            title=title,
            at=now,
        ),
    )
    with services.database.transaction() as session:
        filing.file(session, made)
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.REVOKE, scope)
        again = _open(session, workitem_id)
        if again.id != proposal.id:
            raise conflict("changed", "Another revocation is proposed by now", remedy="Reload.")
        _decide(session, scope, again, RevocationAction.CONFIRM, stored)
        recalls.revoke(
            session,
            scope,
            item,
            version,
            revocation=again,
            title=title,
        )
        item.acknowledge_by = None
        workitems.move(session, item, after, Action.REVOKE, scope.actor)


def decline(services: Services, scope: Scope, workitem_id: UUID) -> None:
    """Let the report stand: an administrator rejects the proposal, its proposer withdraws it.

    Raises:
        Problem: 403 for anybody else; 404 when it is not visible or nothing is proposed.
    """
    # Whoever may do neither does not learn whether something is proposed.
    scope.require(Role.REVIEWER, Role.CONSORTIUM_ADMIN)
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        proposal = _open(session, workitem_id)
        action = RevocationAction.WITHDRAW
        if proposal.proposed_by != scope.person_id:
            scope.require(Role.CONSORTIUM_ADMIN)
            action = RevocationAction.REJECT
        _decide(session, scope, proposal, action, None)
        workitems.tell(session, item)


def _open(session: Session, workitem_id: UUID) -> ReportRevocation:
    proposal = queries.open_revocation(session, workitem_id)
    if proposal is None:
        raise not_found("A proposal to revoke this report")
    return proposal


def _require_other(proposal: ReportRevocation, scope: Scope) -> None:
    if proposal.proposed_by == scope.person_id:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "own-proposal",
            "You proposed this revocation, so you cannot confirm it",
            expected="two people",
            remedy="Ask another consortium administrator.",
        )


def _decide(
    session: Session,
    scope: Scope,
    proposal: ReportRevocation,
    action: RevocationAction,
    stored: StoredPdf | None,
) -> None:
    after = next_state(proposal.state, action)
    assert after is not None
    proposal.state = after
    proposal.decided_by = scope.person_id
    proposal.decided_at = utc_now()
    if stored is not None:
        proposal.pdf_object_key = stored.key
        proposal.pdf_sha256 = stored.sha256
    session.flush()
    audit.record(
        session,
        scope.actor,
        f"report_revocation:{action.value}",
        subject_kind="report_version",
        subject_id=proposal.report_version_id,
        detail={"revocation_id": str(proposal.id)},
    )


def _tombstone(
    document: ReportDocument, reason: str, language: Language, now: datetime
) -> ReportDocument:
    words = labels(language)["revocation"]
    return replace(
        document,
        status=ReportStatus.REVOKED,
        findings="",
        impression=words["void"].replace("{code}", document.verification_code),
        advice=words["advice"],
        comparison="",
        amendment_reason=reason,
        critical_notice="",
        recognition_mark="",
        single_signature_basis="",
        reported_at=now,
        addenda=(),
        key_images=(),
        ecg=None,
    )
