"""What happens to a report beside the road from draft to signature, over HTTP.

    POST /api/workitems/{id}/preliminary        {revision, signing_pin, language} → WorkitemDetail
    POST /api/workitems/{id}/issue-alone        {revision, signing_pin, language} → WorkitemDetail
    POST /api/workitems/{id}/amend              {reason, kind}                    → WorkitemDetail
    POST /api/workitems/{id}/amend/abandon                                        → WorkitemDetail
    POST /api/workitems/{id}/revocation         {reason}                          → WorkitemDetail
    POST /api/workitems/{id}/revocation/confirm                                   → WorkitemDetail
    POST /api/workitems/{id}/revocation/decline                                   → WorkitemDetail
    POST /api/workitems/{id}/reopen                                               → WorkitemDetail
    POST /api/workitems/{id}/archive                                              → WorkitemDetail
    GET  /api/workitems/{id}/comparison?old=&new=                                 → TextComparison
    GET  /api/portal/recalls                                                      → RecallNotice[]
    POST /api/portal/recalls/{id}/acknowledge                                     → RecallNotice[]
    POST /api/recalls/{id}/acknowledge          {name, role}                      → 204

Problems: 403 forbidden, own-proposal · 404 not-found · 409 wrong-state, not-holder, not-alone,
two-signatures, stale-draft, revocation-proposed · 422 incomplete-report.
"""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from reading_worklist.phone.said import Said
from reading_worklist.reports import (
    acknowledging,
    alone,
    amendment,
    preliminary,
    revocation,
    version_queries,
)
from reading_worklist.reports.routes import SubmitBody
from reading_worklist.reports.schemas import RecallNotice, TextComparison
from reading_worklist.reports.service import COMMENT_LENGTH_MAX
from reading_worklist.reports.states import AmendmentKind
from reading_worklist.routing import service as routing
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.routes import centre, get_workitem
from reading_worklist.workitems.schemas import WorkitemDetail

router = APIRouter(prefix="/api", tags=["reports"])


class ReasonedBody(BaseModel):
    """Why; kept for good beside the report."""

    reason: Annotated[str, Field(max_length=COMMENT_LENGTH_MAX)]


class AmendBody(ReasonedBody):
    """kind: whether the content changes, or is only added to."""

    kind: AmendmentKind = AmendmentKind.CHANGE


class ToldBody(BaseModel):
    """Who of the site said on the telephone that he knows, and as what."""

    name: Said
    role: Said


@router.post("/workitems/{workitem_id}/preliminary")
def issue_preliminary(
    workitem_id: UUID, body: SubmitBody, scope: Asking, services: Parts
) -> WorkitemDetail:
    """Sign the saved draft alone and issue it as a preliminary report; review follows."""
    preliminary.issue_preliminary(
        services,
        scope,
        workitem_id,
        revision=body.revision,
        signing_pin=body.signing_pin,
        language=body.language,
        reasons=body.reasons,
    )
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/issue-alone")
def issue_alone(
    workitem_id: UUID, body: SubmitBody, scope: Asking, services: Parts
) -> WorkitemDetail:
    """Sign the saved draft of an ECG alone and issue it, while the consortium allows that."""
    alone.issue_alone(
        services,
        scope,
        workitem_id,
        revision=body.revision,
        signing_pin=body.signing_pin,
        language=body.language,
        reasons=body.reasons,
    )
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/amend")
def amend(workitem_id: UUID, body: AmendBody, scope: Asking, services: Parts) -> WorkitemDetail:
    """Set out to replace the report that stands, or to add to it; it stands until then."""
    amendment.amend(services, scope, workitem_id, body.reason, body.kind)
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/amend/abandon")
def abandon_amendment(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Let the report stand as it is after all."""
    amendment.abandon(services, scope, workitem_id)
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/revocation")
def propose_revocation(
    workitem_id: UUID, body: ReasonedBody, scope: Asking, services: Parts
) -> WorkitemDetail:
    """Propose to declare the report void."""
    revocation.propose(services, scope, workitem_id, body.reason)
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/revocation/confirm")
def confirm_revocation(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Revoke the report as the second person; a tombstone goes to everybody who has it."""
    revocation.confirm(services, scope, workitem_id)
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/revocation/decline")
def decline_revocation(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Let the report stand: reject somebody's proposal, or withdraw one's own."""
    revocation.decline(services, scope, workitem_id)
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/reopen")
def reopen_workitem(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Queue a reading again whose report was revoked."""
    with services.database.transaction() as session:
        routing.start_again(session, workitems.reopen(session, scope, workitem_id))
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/archive")
def archive_workitem(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Lock a reading for good: nothing of it can be changed any more."""
    with services.database.transaction() as session:
        workitems.archive(session, scope, workitem_id)
    return get_workitem(workitem_id, scope, services)


@router.get("/workitems/{workitem_id}/comparison")
def compare_texts(
    workitem_id: UUID, scope: Asking, services: Parts, old: UUID, new: UUID | None = None
) -> TextComparison:
    """Return two texts side by side: submissions or versions by id, or the draft without `new`."""
    centre(scope)
    with services.database.transaction() as session:
        return version_queries.comparison(session, scope, workitem_id, old, new)


@router.get("/portal/recalls")
def list_recalls(scope: Asking, services: Parts) -> list[RecallNotice]:
    """Return the recalls of reports one has opened and does not know of yet.

    To doctors of the site also those that colleagues have not acknowledged in time.
    """
    scope.require(*acknowledging.SITE_ROLES)
    with services.database.transaction() as session:
        return version_queries.recalls_to_know(session, scope)


@router.post("/portal/recalls/{recall_id}/acknowledge")
def acknowledge_recall(recall_id: UUID, scope: Asking, services: Parts) -> list[RecallNotice]:
    """Say that one knows of a recall; returns those that are left."""
    with services.database.transaction() as session:
        acknowledging.acknowledge(session, scope, recall_id)
        session.flush()
        return version_queries.recalls_to_know(session, scope)


@router.post("/recalls/{recall_id}/acknowledge", status_code=HTTPStatus.NO_CONTENT)
def acknowledge_recall_by_telephone(
    recall_id: UUID, body: ToldBody, scope: Asking, services: Parts
) -> None:
    """Take down that somebody of the site said on the telephone that he knows of a recall."""
    with services.database.transaction() as session:
        acknowledging.acknowledge_by_telephone(session, scope, recall_id, body.name, body.role)
