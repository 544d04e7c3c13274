"""The switch for single signatures over HTTP, for consortium administrators."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from reading_worklist.services import Asking, Parts
from reading_worklist.single_signature import service
from reading_worklist.single_signature.schemas import SingleSignatureBody, SingleSignatureView

router = APIRouter(prefix="/api/single-signatures", tags=["agreements"])


@router.get("")
def list_single_signatures(scope: Asking, services: Parts) -> list[SingleSignatureView]:
    """Return on which days one signature is enough for an ECG, the latest first."""
    with services.database.transaction() as session:
        return service.shown(session, scope)


@router.post("", status_code=HTTPStatus.CREATED)
def switch_single_signatures_on(
    body: SingleSignatureBody, scope: Asking, services: Parts
) -> list[SingleSignatureView]:
    """Let one signature be enough for ECGs on some days."""
    with services.database.transaction() as session:
        service.switch_on(session, scope, body)
        return service.shown(session, scope)


@router.post("/{period_id}/end")
def switch_single_signatures_off(
    period_id: UUID, scope: Asking, services: Parts
) -> list[SingleSignatureView]:
    """Let two signatures be needed again from now on."""
    with services.database.transaction() as session:
        service.switch_off(session, scope, period_id)
        session.flush()
        return service.shown(session, scope)
