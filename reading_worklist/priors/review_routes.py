"""Accesses in emergencies over HTTP, for who audits."""

from uuid import UUID

from fastapi import APIRouter

from reading_worklist.priors import review
from reading_worklist.priors.review import Emergencies, ReviewBody
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api/emergency-accesses", tags=["priors"])


@router.get("")
def list_emergency_accesses(scope: Asking, services: Parts) -> Emergencies:
    """Return who has opened studies in an emergency that no agreement opens."""
    with services.database.transaction() as session:
        return review.emergencies(session, scope)


@router.post("/{access_id}/review")
def review_emergency_access(
    access_id: UUID, body: ReviewBody, scope: Asking, services: Parts
) -> Emergencies:
    """Say whether an access in an emergency was justified; it is said once."""
    with services.database.transaction() as session:
        review.judge(session, scope, access_id, body)
        return review.emergencies(session, scope)
