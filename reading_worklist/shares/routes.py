"""Links to one study over HTTP: for who makes them, and for who comes by one.

Whoever comes by a link posts what stands behind its number sign, so that no log has it, and gets a
cookie that is good for the one study alone.
"""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from reading_worklist.public_rate import PublicRate
from reading_worklist.reports.documents import read_pdf
from reading_worklist.reports.time_stamps import newest_file
from reading_worklist.services import Asking, Parts, client_address
from reading_worklist.shares import service
from reading_worklist.shares.guests import COOKIE, Guest, guest_of
from reading_worklist.shares.schemas import (
    MadeShare,
    OpenBody,
    RevokeBody,
    ShareBody,
    SharedStudy,
    Shares,
)
from storage import walls

router = APIRouter(prefix="/api", tags=["shares"])

_RATE: Final = PublicRate("shares", burst=10, per_second=0.2)
_PDF: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"application/pdf": {}}}}


def current_guest(request: Request, services: Parts) -> Guest:
    """Return who came by a link. Raises `Problem` 401 without a visit that goes on."""
    return guest_of(services, request)


Visiting = Annotated[Guest, Depends(current_guest)]


@router.get("/workitems/{workitem_id}/shares")
def list_shares(workitem_id: UUID, scope: Asking, services: Parts) -> Shares:
    """Return the links by which an exam is shown outside, the ended ones too."""
    with services.database.transaction() as session:
        return service.listed(session, scope, workitem_id)


@router.post("/workitems/{workitem_id}/shares", status_code=HTTPStatus.CREATED)
def make_share(workitem_id: UUID, body: ShareBody, scope: Asking, services: Parts) -> MadeShare:
    """Make a link to an exam for somebody outside; it is shown this once."""
    with services.database.transaction() as session:
        return service.make(session, scope, workitem_id, body, services.config.public_url)


@router.post("/shares/{share_id}/revoke")
def revoke_share(share_id: UUID, body: RevokeBody, scope: Asking, services: Parts) -> Shares:
    """Take a link back at once."""
    with services.database.transaction() as session:
        workitem_id = service.revoke(session, scope, share_id, body.reason)
        return service.listed(session, scope, workitem_id)


@router.post("/shared", dependencies=[Depends(_RATE)])
def open_share(
    body: OpenBody, request: Request, response: Response, services: Parts
) -> SharedStudy:
    """Open a link; the cookie that comes back shows its study for two hours.

    An unknown link, one that has ended and a wrong code have one answer, 404.
    """
    client = client_address(request)
    with walls.beyond("whoever has the link may open it"):
        with services.database.transaction() as session:
            link = service.find(session, body.token)
        if link is None:
            raise service.refused()
        if not service.code_fits(link, body.token, body.code):
            with services.database.transaction() as session:
                service.note_wrong_code(session, link.id, client)
            raise service.refused()
        with services.database.transaction() as session:
            visit = service.begin_visit(session, link, client)
    response.set_cookie(
        COOKIE,
        visit,
        max_age=int(service.VISIT.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=services.config.secure_cookie or request.url.scheme == "https",
    )
    request.cookies[COOKIE] = visit
    guest = guest_of(services, request)
    with services.database.transaction() as session:
        return service.shown(session, guest)


@router.get("/shared")
def get_shared(guest: Visiting, services: Parts) -> SharedStudy:
    """Return what the link that was opened shows."""
    with services.database.transaction() as session:
        return service.shown(session, guest)


@router.get("/shared/report", response_class=Response, responses=_PDF)
def get_shared_report(guest: Visiting, services: Parts) -> Response:
    """Return the signed report that stands; that it was read is recorded."""
    with services.database.transaction() as session:
        version = service.read_report(session, guest)
        file = newest_file(session, version)
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": "inline"}
    pdf = read_pdf(services.objects, *file)
    return Response(pdf, media_type="application/pdf", headers=headers)
