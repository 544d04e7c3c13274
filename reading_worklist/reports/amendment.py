"""Replacing an issued report by another version, which both doctors sign again."""

from uuid import UUID, uuid4

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict, not_found
from reading_worklist.reports import queries, submitting
from reading_worklist.reports.tables import ReportAmendment
from reading_worklist.routing import service as routing
from reading_worklist.services import Services
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.states import Action
from storage.clock import utc_now


def amend(services: Services, scope: Scope, workitem_id: UUID, reason: str) -> None:
    """Set out to replace the report that stands; whoever asks holds the workitem and may write.

    The version that stands goes on standing until the next one is issued.

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
                reason=reason.strip(),
                started_by=scope.person_id,
                started_at=now,
            )
        )
        item.amending = True
        item.writer_id = scope.person_id
        item.claimed_at = now
        routing.start_again(session, item)
        workitems.hold(item, scope.person_id, services.config.claim_lease)
        workitems.move(session, item, after, Action.AMEND, scope.actor)


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
