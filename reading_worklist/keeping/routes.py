"""Keeping over HTTP, for dispatchers (who look, and may set a hold) and administrators.

    GET  /api/keeping/usage                                             → Usage
    GET  /api/keeping/verification                                      → VerificationView | null
    GET  /api/keeping/rules                                             → RetentionRuleView[]
    PUT  /api/keeping/rules            {site_id, visit_kind, years}     → RetentionRuleView[]
    GET  /api/keeping/due?page=                                         → DuePage
    GET  /api/keeping/holds?active=&page=                               → HoldPage
    POST /api/keeping/holds            {patient_id | study_id, reason}  → HoldPage (201)
    POST /api/keeping/holds/{id}/release   {reason}                     → HoldPage
    GET  /api/keeping/purges?open=&page=                                → PurgePage
    POST /api/keeping/purges           {study_ids, reason}              → PurgeDetail (201)
    GET  /api/keeping/purges/{id}                                       → PurgeDetail
    POST /api/keeping/purges/{id}/approve | reject | withdraw {comment} → PurgeDetail

Problems: 403 forbidden, own-proposal · 404 not-found · 409 not-purgeable, several-sites, released,
wrong-state · 422 invalid-request, below-minimum.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from reading_worklist.access.masking import shown_to
from reading_worklist.keeping import queries, service
from reading_worklist.keeping.schemas import (
    CommentBody,
    DuePage,
    HoldBody,
    HoldPage,
    ProposalBody,
    PurgeDetail,
    PurgePage,
    ReasonBody,
    RetentionRuleView,
    RuleBody,
    Usage,
    VerificationView,
)
from reading_worklist.services import Asking, Parts
from storage.walls import beyond

router = APIRouter(prefix="/api/keeping", tags=["keeping"])

_Page = Annotated[int, Query(ge=1, le=100_000)]


@router.get("/usage")
def get_storage_usage(scope: Asking, services: Parts) -> Usage:
    """Return what each visible site keeps, as of a few minutes ago."""
    scope.require(*service.LOOKERS)
    with services.database.transaction() as session:
        return queries.usage(session, scope)


@router.get("/verification")
def get_last_verification(scope: Asking, services: Parts) -> VerificationView | None:
    """Return when all objects were last compared with the index, and how it ended."""
    scope.require(*service.LOOKERS)
    with (
        beyond("counts of all objects together, which are of no site"),
        services.database.transaction() as session,
    ):
        return queries.last_verification(session)


@router.get("/rules")
def list_retention_rules(scope: Asking, services: Parts) -> list[RetentionRuleView]:
    """Return for how long each visible site keeps."""
    scope.require(*service.LOOKERS)
    with services.database.transaction() as session:
        return queries.rules(session, scope)


@router.put("/rules")
def set_retention_rule(body: RuleBody, scope: Asking, services: Parts) -> list[RetentionRuleView]:
    """Let a site keep records longer than the national minimum, or as long."""
    with services.database.transaction() as session:
        service.set_rule(session, scope, body.site_id, body.visit_kind, body.years)
        session.flush()
        return queries.rules(session, scope)


@router.get("/due")
def list_due_patients(scope: Asking, services: Parts, page: _Page = 1) -> DuePage:
    """Return the patients whose records need not be kept any more."""
    scope.require(*service.LOOKERS)
    with services.database.transaction() as session:
        return shown_to(scope, queries.due(session, scope, page))


@router.get("/holds")
def list_legal_holds(
    scope: Asking, services: Parts, *, active: bool = True, page: _Page = 1
) -> HoldPage:
    """Return the legal holds, newest first."""
    scope.require(*service.LOOKERS)
    with services.database.transaction() as session:
        return shown_to(scope, queries.holds(session, scope, page, active_only=active))


@router.post("/holds", status_code=201)
def set_legal_hold(body: HoldBody, scope: Asking, services: Parts) -> HoldPage:
    """Let nothing of a patient, or one study, be removed; return the active holds."""
    with services.database.transaction() as session:
        service.set_hold(
            session,
            scope,
            patient_id=body.patient_id,
            study_id=body.study_id,
            reason=body.reason,
        )
        return shown_to(scope, queries.holds(session, scope, 1, active_only=True))


@router.post("/holds/{hold_id}/release")
def release_legal_hold(hold_id: UUID, body: ReasonBody, scope: Asking, services: Parts) -> HoldPage:
    """Release a hold; return the active ones."""
    with services.database.transaction() as session:
        service.release_hold(session, scope, hold_id, body.reason)
        session.flush()
        return shown_to(scope, queries.holds(session, scope, 1, active_only=True))


@router.get("/purges")
def list_purges(
    scope: Asking,
    services: Parts,
    *,
    open_only: Annotated[bool, Query(alias="open")] = False,
    page: _Page = 1,
) -> PurgePage:
    """Return the purges, newest first."""
    scope.require(*service.LOOKERS)
    with services.database.transaction() as session:
        return shown_to(scope, queries.purges(session, scope, page, open_only=open_only))


@router.post("/purges", status_code=201)
def propose_purge(body: ProposalBody, scope: Asking, services: Parts) -> PurgeDetail:
    """Propose to remove studies for good; another administrator decides."""
    with services.database.transaction() as session:
        purge = service.propose(session, scope, body.study_ids, body.reason)
        return shown_to(scope, queries.purge_detail(session, scope, purge.id))


@router.get("/purges/{purge_id}")
def get_purge(purge_id: UUID, scope: Asking, services: Parts) -> PurgeDetail:
    """Return a purge with its studies and what stands against each now."""
    scope.require(*service.LOOKERS)
    with services.database.transaction() as session:
        return shown_to(scope, queries.purge_detail(session, scope, purge_id))


@router.post("/purges/{purge_id}/approve")
def approve_purge(purge_id: UUID, body: CommentBody, scope: Asking, services: Parts) -> PurgeDetail:
    """Agree to what somebody else proposed; removing begins at once."""
    with services.database.transaction() as session:
        service.approve(session, scope, purge_id, body.comment)
        session.flush()
        return shown_to(scope, queries.purge_detail(session, scope, purge_id))


@router.post("/purges/{purge_id}/reject")
def reject_purge(purge_id: UUID, body: CommentBody, scope: Asking, services: Parts) -> PurgeDetail:
    """Refuse what somebody else proposed, with the reason."""
    with services.database.transaction() as session:
        service.reject(session, scope, purge_id, body.comment)
        session.flush()
        return shown_to(scope, queries.purge_detail(session, scope, purge_id))


@router.post("/purges/{purge_id}/withdraw")
def withdraw_purge(
    purge_id: UUID, body: CommentBody, scope: Asking, services: Parts
) -> PurgeDetail:
    """Take a proposal back before anything is gone."""
    with services.database.transaction() as session:
        service.withdraw(session, scope, purge_id, body.comment)
        session.flush()
        return shown_to(scope, queries.purge_detail(session, scope, purge_id))
