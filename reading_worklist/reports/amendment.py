"""Replacing an issued report by another version, which both doctors sign again."""

from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict, not_found
from reading_worklist.reports import queries, submitting
from reading_worklist.reports.states import AmendmentKind
from reading_worklist.reports.tables import (
    ReportAmendment,
    ReportDraft,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.routing import service as routing
from reading_worklist.services import Services
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.states import Action
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now


def amend(
    services: Services,
    scope: Scope,
    workitem_id: UUID,
    reason: str,
    kind: AmendmentKind = AmendmentKind.CHANGE,
) -> None:
    """Set out to replace the report that stands; whoever asks holds the workitem and may write.

    The version that stands goes on standing until the next one is issued. The draft of an addendum
    has the texts of that version.

    Raises:
        Problem: see `rules.check`; 409 while a revocation waits; 422 without a reason.
    """
    if not reason.strip():
        raise submitting.incomplete("An amendment needs a reason", "reason")
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.AMEND, scope)
        version = queries.standing_version(session, workitem_id)
        if version is None:
            raise not_found("A report that stands")
        if queries.open_revocation(session, workitem_id) is not None:
            raise conflict(
                "revocation-proposed",
                "The report is proposed for revocation",
                remedy="Let the revocation be decided or withdrawn first.",
            )
        now = utc_now()
        session.add(
            ReportAmendment(
                id=uuid4(),
                workitem_id=workitem_id,
                report_version_id=version.id,
                kind=kind,
                reason=reason.strip(),
                started_by=scope.person_id,
                started_at=now,
            )
        )
        _begin_draft(session, scope, version, kind)
        item.amending = True
        item.writer_id = scope.person_id
        item.claimed_at = now
        routing.start_again(session, item)
        workitems.hold(item, scope.person_id, services.config.claim_lease)
        workitems.move(session, item, after, Action.AMEND, scope.actor)


def only_adds(session: Session, item: Workitem) -> bool:
    """Return whether an addendum is being written to the report of a workitem."""
    begun = queries.open_amendment(session, item.id) if item.amending else None
    return begun is not None and begun.kind is AmendmentKind.ADDENDUM


def _begin_draft(
    session: Session, scope: Scope, version: ReportVersion, kind: AmendmentKind
) -> None:
    draft = session.get(ReportDraft, version.workitem_id)
    if draft is None:
        draft = ReportDraft(workitem_id=version.workitem_id, author_id=scope.person_id, revision=0)
        session.add(draft)
    draft.addendum = ""
    if kind is not AmendmentKind.ADDENDUM:
        return
    submission = session.get_one(ReportSubmission, version.submission_id)
    draft.findings = submission.findings
    draft.impression = submission.impression
    draft.advice = submission.advice
    draft.comparison = submission.comparison
    draft.codes = dict(submission.codes)
    draft.revision += 1
    draft.saved_at = utc_now()


def abandon(services: Services, scope: Scope, workitem_id: UUID) -> None:
    """Let the report stand as it is after all.

    Raises:
        Problem: see `rules.check`.
    """
    with services.database.transaction() as session:
        item = workitems.locked(session, scope, workitem_id)
        after = check(item, Action.ABANDON_AMENDMENT, scope)
        amendment = queries.open_amendment(session, workitem_id)
        version = queries.standing_version(session, workitem_id)
        assert amendment is not None
        assert version is not None
        amendment.ended_at = utc_now()
        amendment.abandoned = True
        item.amending = False
        item.writer_id = version.writer_id
        workitems.let_go(item)
        workitems.move(session, item, after, Action.ABANDON_AMENDMENT, scope.actor)
        if item.delivered_at is not None or item.opened_at is not None:
            workitems.note_arrival(session, item, scope.actor)
