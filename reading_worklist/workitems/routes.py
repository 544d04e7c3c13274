"""The worklist over HTTP, for the people of the centre."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter

from reading_worklist.access.scope import Scope
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems import queries, service
from reading_worklist.workitems.schemas import SiteView, Timeline, WorkitemDetail
from storage.registry import Role

router = APIRouter(prefix="/api", tags=["worklist"])

CENTRE_ROLES: Final = (
    Role.WRITER,
    Role.REVIEWER,
    Role.DISPATCHER,
    Role.QUALITY_CONTROLLER,
    Role.CONSORTIUM_ADMIN,
)
"""Who sees the centre's worklist; people of a site have the portal."""


def centre(scope: Asking) -> Scope:
    """Return the scope of a person of the centre.

    Raises:
        Problem: 403 for anybody else.
    """
    scope.require(*CENTRE_ROLES)
    return scope


@router.get("/sites")
def list_sites(scope: Asking, services: Parts) -> list[SiteView]:
    """Return the sites whose studies the worklist holds."""
    scope.require(*CENTRE_ROLES, Role.SYSTEM_ADMIN)
    with services.database.transaction() as session:
        return queries.sites(session, scope)


@router.get("/workitems/{workitem_id}")
def get_workitem(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Return one workitem with its draft, submissions and signed versions."""
    centre(scope)
    with services.database.transaction() as session:
        return queries.detail(session, scope, workitem_id)


@router.get("/workitems/{workitem_id}/timeline")
def get_timeline(workitem_id: UUID, scope: Asking, services: Parts) -> Timeline:
    """Return when the exam passed each step of its road."""
    centre(scope)
    with services.database.transaction() as session:
        return queries.timeline(session, scope, workitem_id)


@router.post("/workitems/{workitem_id}/claim")
def claim(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Claim the workitem for writing, or renew the lease of one's own claim."""
    with services.database.transaction() as session:
        service.claim(session, scope, workitem_id, services.config.claim_lease)
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/review")
def start_review(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Take a written report for review."""
    with services.database.transaction() as session:
        service.start_review(session, scope, workitem_id, services.config.claim_lease)
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/release")
def release(workitem_id: UUID, scope: Asking, services: Parts) -> WorkitemDetail:
    """Give the workitem back to the queue."""
    with services.database.transaction() as session:
        service.release(session, scope, workitem_id)
    return get_workitem(workitem_id, scope, services)
