"""Consultations over HTTP, for those who ask and for the experts who are asked.

    GET  /api/consultations?state=&workitem=&mine=&page=&page_size=  → ConsultationPage
    POST /api/workitems/{id}/consultations  ApplyBody           → ConsultationView (201)
    GET  /api/consultations/{id}                                → ConsultationView
    POST /api/consultations/{id}/accept                         → ConsultationView, by the expert
    POST /api/consultations/{id}/decline   {reason}             → ConsultationView, by the expert
    POST /api/consultations/{id}/schedule  {scheduled_for}      → ConsultationView, by the expert
    POST /api/consultations/{id}/opinion   {opinion, signing_pin} → ConsultationView, by the expert
    PUT  /api/consultations/{id}/opinion/draft  {text, revision} → OpinionDraft, by the expert
    POST /api/consultations/{id}/archive                        → ConsultationView
    POST /api/consultations/{id}/rate      {rating, comment}    → ConsultationView, by the applicant
    GET  /api/experts                                           → ExpertView[]
    PUT  /api/experts/{person id}          PractitionerBody     → ExpertView[], by an administrator

An urgent one is due 10 minutes after it was asked, another 24 hours. Accepting an urgent one
schedules it at once. The expert may see the images of the study from the application on until the
opinion is archived, or he has declined. Live event: `consultation` with {id, state}.

Problems: 403 forbidden, not-applicant · 404 not-found · 409 wrong-state, stale-draft ·
422 invalid-request, unfit-expert.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from reading_worklist.access.scope import Scope
from reading_worklist.changes import changed
from reading_worklist.consultations import queries, service
from reading_worklist.consultations.queries import PAGE_SIZE_MAX, SEERS, ConsultationFilter
from reading_worklist.consultations.schemas import (
    ApplyBody,
    ConsultationPage,
    ConsultationView,
    ExpertView,
    OpinionBody,
    OpinionDraft,
    OpinionDraftBody,
    PractitionerBody,
    RatingBody,
    ReasonBody,
    ScheduleBody,
)
from reading_worklist.consultations.service import APPLICANTS
from reading_worklist.consultations.states import ConsultationState
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.registry import Role

router = APIRouter(prefix="/api", tags=["consultations"])


def _taking_part(scope: Asking) -> Scope:
    """Return who asks, if his role has any part in consultations."""
    scope.require(*SEERS, Role.EXPERT)
    return scope


_TakingPart = Annotated[Scope, Depends(_taking_part)]


@router.get("/consultations")
def list_consultations(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: _TakingPart,
    services: Parts,
    state: Annotated[list[ConsultationState] | None, Query()] = None,
    workitem: UUID | None = None,
    mine: Annotated[bool, Query()] = False,  # noqa: FBT002 -- a query parameter, sent by name
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> ConsultationPage:
    """Return a page of consultations, unanswered ones first."""
    wanted = ConsultationFilter(states=state or (), workitem_id=workitem, mine=mine)
    with services.database.transaction() as session:
        return queries.listed(
            session,
            scope,
            wanted,
            page=page,
            page_size=page_size,
            trust_anchors=services.config.trust_anchors,
        )


@router.post("/workitems/{workitem_id}/consultations", status_code=201)
def apply_for_consultation(
    workitem_id: UUID, body: ApplyBody, scope: Asking, services: Parts
) -> ConsultationView:
    """Ask an expert about a case."""
    with services.database.transaction() as session:
        consultation_id = service.apply(session, scope, workitem_id, body).id
    return get_consultation(consultation_id, scope, services)


@router.get("/consultations/{consultation_id}")
def get_consultation(
    consultation_id: UUID, scope: _TakingPart, services: Parts
) -> ConsultationView:
    """Return one consultation."""
    with services.database.transaction() as session:
        return queries.one(session, scope, consultation_id, services.config.trust_anchors)


@router.post("/consultations/{consultation_id}/accept")
def accept_consultation(
    consultation_id: UUID, scope: _TakingPart, services: Parts
) -> ConsultationView:
    """Agree to give an opinion."""
    return changed(get_consultation, consultation_id, scope, services, service.accept)


@router.post("/consultations/{consultation_id}/decline")
def decline_consultation(
    consultation_id: UUID, body: ReasonBody, scope: _TakingPart, services: Parts
) -> ConsultationView:
    """Refuse to give an opinion."""
    return changed(get_consultation, consultation_id, scope, services, service.decline, body.reason)


@router.post("/consultations/{consultation_id}/schedule")
def schedule_consultation(
    consultation_id: UUID, body: ScheduleBody, scope: _TakingPart, services: Parts
) -> ConsultationView:
    """Say when one will look at it."""
    return changed(
        get_consultation, consultation_id, scope, services, service.schedule, body.scheduled_for
    )


@router.post("/consultations/{consultation_id}/opinion")
def sign_consultation_opinion(
    consultation_id: UUID, body: OpinionBody, scope: _TakingPart, services: Parts
) -> ConsultationView:
    """Give one's opinion and sign it."""
    service.sign_opinion(services, scope, consultation_id, body.opinion, body.signing_pin)
    return get_consultation(consultation_id, scope, services)


@router.put("/consultations/{consultation_id}/opinion/draft")
def save_consultation_opinion(
    consultation_id: UUID, body: OpinionDraftBody, scope: _TakingPart, services: Parts
) -> OpinionDraft:
    """Keep what one has typed so far; 409 when it was saved elsewhere since `revision`."""
    with services.database.transaction() as session:
        return service.save_opinion(session, scope, consultation_id, body.text, body.revision)


@router.post("/consultations/{consultation_id}/archive")
def archive_consultation(
    consultation_id: UUID, scope: _TakingPart, services: Parts
) -> ConsultationView:
    """Put the signed opinion to the case's records."""
    return changed(get_consultation, consultation_id, scope, services, service.archive)


@router.post("/consultations/{consultation_id}/rate")
def rate_consultation(
    consultation_id: UUID, body: RatingBody, scope: _TakingPart, services: Parts
) -> ConsultationView:
    """Say as the applicant how useful it was."""
    return changed(
        get_consultation, consultation_id, scope, services, service.rate, body.rating, body.comment
    )


@router.get("/experts")
def list_experts(scope: Asking, services: Parts) -> list[ExpertView]:
    """Return the experts of this consortium and whether they may be asked."""
    scope.require(*APPLICANTS, *CENTRE_ROLES)
    with services.database.transaction() as session:
        return queries.experts(session, scope)


@router.put("/experts/{person_id}")
def set_expert(
    person_id: UUID, body: PractitionerBody, scope: Asking, services: Parts
) -> list[ExpertView]:
    """Enter a doctor's licence; returns the experts as they are known then."""
    with services.database.transaction() as session:
        service.set_practitioner(session, scope, person_id, body)
        session.flush()
        return queries.experts(session, scope)
