"""The identity desk over HTTP, for the dispatcher; a reader may send it a study he doubts.

    GET  /api/identity/cases?state=OPEN|DECIDED|all&site=CODE&page=&page_size=   → CasePage
    POST /api/identity/cases            {workitem_id, reason}                    → CaseDetail (201)
    GET  /api/identity/cases/{id}                                                → CaseDetail
    GET  /api/identity/cases/{id}/candidates?q=                                  → Candidates
    POST /api/identity/cases/{id}/link     {order_id, reason}                    → CaseDetail
    POST /api/identity/cases/{id}/correct  {patient_id | new_patient, reason}    → CaseDetail
    POST /api/identity/cases/{id}/keep     {reason}                              → CaseDetail
    POST /api/identity/cases/{id}/reject   {reason}                              → CaseDetail
    POST /api/identity/cases/{id}/undo     {reason}                              → CaseDetail
    GET  /api/workitems/{id}/identity                                            → IdentityNotice

`CaseView` is one line of the list: what differs (`differences`), the patient as the header has him
(`header`), when it must be decided (`due_at`: STAT 10 minutes after it was opened, else 4 hours).
`CaseDetail` adds both sides line by line (`rows`, empty when nothing was ordered), the order, the
patient whom the index shows now, all decisions, and which acts are possible (`can_decide`,
`can_undo`). `link`, `correct`, `keep` and `reject` need an open case, `undo` a decided one whose
study has no signed report. Live events: `identity` with {id, state} for a case, `order` with
{id, state} for an order, `workitem` as everywhere.

Problems: 403 forbidden · 404 not-found · 409 case-open, case-decided, nothing-to-undo,
report-signed, patient-exists · 422 invalid-request.
"""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from reading_worklist.changes import changed
from reading_worklist.identity import notices, queries, service
from reading_worklist.identity.patients import NewPatient
from reading_worklist.identity.queries import PAGE_SIZE_MAX, CaseFilter
from reading_worklist.identity.schemas import (
    Candidates,
    CaseDetail,
    CasePage,
    CorrectBody,
    IdentityNotice,
    LinkBody,
    OpenBody,
    ReasonBody,
)
from reading_worklist.identity.service import DESK_ROLES
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import centre
from storage.identity.tables import CaseState

_cases = APIRouter(prefix="/api/identity/cases", tags=["identity"])
router = APIRouter(tags=["identity"])


@_cases.get("")
def list_identity_cases(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    state: Literal["OPEN", "DECIDED", "all"] = "OPEN",
    site: Annotated[str | None, Query(max_length=100)] = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> CasePage:
    """Return a page of the desk: open cases by due time, decided ones latest first."""
    scope.require(*DESK_ROLES)
    wanted = CaseFilter(state=None if state == "all" else CaseState(state), site_code=site)
    with services.database.transaction() as session:
        return queries.listed(session, scope, wanted, page=page, page_size=page_size)


@_cases.post("", status_code=201)
def open_identity_case(body: OpenBody, scope: Asking, services: Parts) -> CaseDetail:
    """Doubt whose study it is: nobody reads it until the case is decided."""
    with services.database.transaction() as session:
        case_id = service.open_by_hand(session, scope, body.workitem_id, body.reason).id
        session.flush()
        return queries.detail(session, scope, case_id)


@_cases.get("/{case_id}")
def get_identity_case(case_id: UUID, scope: Asking, services: Parts) -> CaseDetail:
    """Return one case with both sides."""
    scope.require(*DESK_ROLES)
    with services.database.transaction() as session:
        return queries.detail(session, scope, case_id)


@_cases.get("/{case_id}/candidates")
def list_identity_candidates(
    case_id: UUID,
    scope: Asking,
    services: Parts,
    q: Annotated[str | None, Query(max_length=100)] = None,
) -> Candidates:
    """Return orders and patients of the study's site that it may belong to."""
    scope.require(*DESK_ROLES)
    with services.database.transaction() as session:
        return queries.candidates(session, scope, case_id, q)


@_cases.post("/{case_id}/link")
def link_identity_case(case_id: UUID, body: LinkBody, scope: Asking, services: Parts) -> CaseDetail:
    """Decide that the study answers this order and belongs to its patient."""
    return changed(
        get_identity_case, case_id, scope, services, service.link, body.order_id, body.reason
    )


@_cases.post("/{case_id}/correct")
def correct_identity_case(
    case_id: UUID, body: CorrectBody, scope: Asking, services: Parts
) -> CaseDetail:
    """Decide that the study belongs to another patient of its site, known or new."""
    new = body.new_patient
    patient = body.patient_id if new is None else NewPatient(**new.model_dump())
    assert patient is not None
    return changed(
        get_identity_case, case_id, scope, services, service.correct, patient, body.reason
    )


@_cases.post("/{case_id}/keep")
def keep_identity_case(
    case_id: UUID, body: ReasonBody, scope: Asking, services: Parts
) -> CaseDetail:
    """Decide that the header is right and no order is meant."""
    return changed(get_identity_case, case_id, scope, services, service.keep, body.reason)


@_cases.post("/{case_id}/reject")
def reject_identity_case(
    case_id: UUID, body: ReasonBody, scope: Asking, services: Parts
) -> CaseDetail:
    """Send the study back to its site."""
    return changed(get_identity_case, case_id, scope, services, service.reject, body.reason)


@_cases.post("/{case_id}/undo")
def undo_identity_case(
    case_id: UUID, body: ReasonBody, scope: Asking, services: Parts
) -> CaseDetail:
    """Take the last decision back; all is as before it."""
    return changed(get_identity_case, case_id, scope, services, service.undo, body.reason)


@router.get("/api/workitems/{workitem_id}/identity")
def get_identity_notice(workitem_id: UUID, scope: Asking, services: Parts) -> IdentityNotice:
    """Return what is doubted or was corrected about the patient of a workitem."""
    centre(scope)
    with services.database.transaction() as session:
        return notices.notice(session, scope, workitem_id)


router.include_router(_cases)
