"""Branches of sites over HTTP, for consortium administrators.

    GET  /api/branches                                           → SiteBranches[]
    POST /api/branches         {site_code, name, name_en, devices}          (201)
    POST /api/branches/change  {site_code, branch, name, name_en, devices}
    POST /api/branches/close   {site_code, branch, reason}

All answer with what GET does.
Problems: 403 forbidden · 404 not-found · 409 branch-taken, device-elsewhere · 422 invalid-request.
"""

from http import HTTPStatus

from fastapi import APIRouter

from reading_worklist.branches import service
from reading_worklist.branches.schemas import BranchBody, BranchChange, BranchEnd, SiteBranches
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api/branches", tags=["agreements"])


@router.get("")
def list_branches(scope: Asking, services: Parts) -> list[SiteBranches]:
    """Return the visible sites, each with its branches and devices."""
    with services.database.transaction() as session:
        return service.shown(session, scope)


@router.post("", status_code=HTTPStatus.CREATED)
def add_branch(body: BranchBody, scope: Asking, services: Parts) -> list[SiteBranches]:
    """Say that devices of a site stand in a branch of it."""
    with services.database.transaction() as session:
        service.add(session, scope, body)
        session.flush()
        return service.shown(session, scope)


@router.post("/change")
def change_branch(body: BranchChange, scope: Asking, services: Parts) -> list[SiteBranches]:
    """Give a branch other names or devices; what was issued stays as it is."""
    with services.database.transaction() as session:
        service.change(session, scope, body)
        session.flush()
        return service.shown(session, scope)


@router.post("/close")
def close_branch(body: BranchEnd, scope: Asking, services: Parts) -> list[SiteBranches]:
    """Let the devices of a branch stand in the site itself."""
    with services.database.transaction() as session:
        service.close(session, scope, body)
        session.flush()
        return service.shown(session, scope)
