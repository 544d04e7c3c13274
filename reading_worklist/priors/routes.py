"""Earlier studies over HTTP, for who reads."""

from uuid import UUID

from fastapi import APIRouter

from reading_worklist.priors import service
from reading_worklist.priors.schemas import (
    EmergencyBody,
    OpenedPrior,
    PriorReport,
    Priors,
    ReasonBody,
)
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api/workitems/{workitem_id}/priors", tags=["priors"])


@router.get("")
def list_priors(workitem_id: UUID, scope: Asking, services: Parts) -> Priors:
    """Return the other studies of the patient; those of other sites once a reason is given."""
    with services.database.transaction() as session:
        return service.shown(session, scope, workitem_id)


@router.post("/reason")
def give_prior_reason(
    workitem_id: UUID, body: ReasonBody, scope: Asking, services: Parts
) -> Priors:
    """Say, once for this patient, why studies of other sites are needed."""
    with services.database.transaction() as session:
        service.give_reason(session, scope, workitem_id, body, services.config.prior_access)
        return service.shown(session, scope, workitem_id)


@router.post("/emergency")
def force_priors(workitem_id: UUID, body: EmergencyBody, scope: Asking, services: Parts) -> Priors:
    """See for an hour what no agreement opens, in an emergency; the auditor is told at once."""
    with services.database.transaction() as session:
        service.force(session, scope, workitem_id, body.note)
        return service.shown(session, scope, workitem_id)


@router.post("/{study_id}/open")
def open_prior(workitem_id: UUID, study_id: UUID, scope: Asking, services: Parts) -> OpenedPrior:
    """Return where the viewer shows an earlier study; that it was opened is recorded."""
    with services.database.transaction() as session:
        return service.open_prior(session, scope, workitem_id, study_id)


@router.get("/{study_id}/report")
def get_prior_report(
    workitem_id: UUID, study_id: UUID, scope: Asking, services: Parts
) -> PriorReport:
    """Return the text of an earlier study's report; that it was read is recorded."""
    with services.database.transaction() as session:
        return service.report(session, scope, workitem_id, study_id)
