"""Agreements over HTTP for consortium administrators, links of patients for dispatchers."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from reading_worklist.agreements import service
from reading_worklist.agreements.schemas import AgreementBody, AgreementView, LinkBody, PartyView
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api", tags=["agreements"])


@router.get("/agreements")
def list_agreements(scope: Asking, services: Parts) -> list[AgreementView]:
    """Return the agreements of the consortium, the latest first."""
    with services.database.transaction() as session:
        return service.shown(session, scope)


@router.get("/agreements/parties")
def list_agreement_parties(scope: Asking, services: Parts) -> list[PartyView]:
    """Return the organisations that agreements can be made between."""
    with services.database.transaction() as session:
        return service.parties(session, scope)


@router.post("/agreements", status_code=HTTPStatus.CREATED)
def make_agreement(body: AgreementBody, scope: Asking, services: Parts) -> list[AgreementView]:
    """Make an agreement."""
    with services.database.transaction() as session:
        service.make(session, scope, body)
        return service.shown(session, scope)


@router.post("/agreements/{agreement_id}/end")
def end_agreement(agreement_id: UUID, scope: Asking, services: Parts) -> list[AgreementView]:
    """End an agreement now."""
    with services.database.transaction() as session:
        service.end(session, scope, agreement_id)
        session.flush()
        return service.shown(session, scope)


@router.post("/patient-links", status_code=HTTPStatus.NO_CONTENT)
def link_patients(body: LinkBody, scope: Asking, services: Parts) -> None:
    """Decide that two patients are one person."""
    with services.database.transaction() as session:
        service.link_patients(session, scope, body, undo=False)


@router.post("/patient-links/undo", status_code=HTTPStatus.NO_CONTENT)
def unlink_patients(body: LinkBody, scope: Asking, services: Parts) -> None:
    """Take back that two patients are one person."""
    with services.database.transaction() as session:
        service.link_patients(session, scope, body, undo=True)
