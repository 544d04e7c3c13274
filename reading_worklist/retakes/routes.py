"""Retakes over HTTP, for the centre and for the sites that make exams again.

    GET  /api/retakes?state=&site=&workitem=&page=&page_size=   → RetakePage
    POST /api/workitems/{id}/retakes  RetakeBody                → RetakeView (201)
    GET  /api/retakes/{id}                                      → RetakeView
    POST /api/retakes/{id}/acknowledge  AnswerBody              → RetakeView, by the site
    POST /api/retakes/{id}/book         {booked_for}            → RetakeView, by the site
    POST /api/retakes/{id}/calls        {name, phone, answered, note} → RetakeView, by the centre
    POST /api/retakes/{id}/decline      {reason}                → RetakeView, by the site
    POST /api/retakes/{id}/receive      {workitem_id}           → RetakeView, by the centre
    POST /api/retakes/{id}/close | cancel                       → RetakeView, by the centre

A study that answers the same order is tied to the retake by itself when it comes; `receive` is for
one that came without an order. The site answers within 10 minutes of a STAT exam, 30 of an urgent
one, 4 hours of another; the centre may take its answer down by telephone, with name and role.
`workitem` finds the retakes of a study and those that it came in the place of. Live event: `retake`
with {id, state}.

Problems: 403 forbidden · 404 not-found · 409 wrong-state, held-by-other · 422 invalid-request,
call-needed, nameless.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query

from reading_worklist.changes import changed
from reading_worklist.phone.said import CallBody
from reading_worklist.retakes import queries, service
from reading_worklist.retakes.queries import PAGE_SIZE_MAX, RetakeFilter
from reading_worklist.retakes.schemas import (
    AnswerBody,
    BookBody,
    ReasonBody,
    ReceiveBody,
    RetakeBody,
    RetakePage,
    RetakeView,
)
from reading_worklist.retakes.states import RetakeState
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import CENTRE_ROLES

router = APIRouter(prefix="/api", tags=["retakes"])

SEERS: Final = (*CENTRE_ROLES, *service.SITE_ROLES)


@router.get("/retakes")
def list_retakes(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    state: Annotated[list[RetakeState] | None, Query()] = None,
    site: Annotated[str | None, Query(max_length=100)] = None,
    workitem: UUID | None = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> RetakePage:
    """Return a page of retakes, those that wait first."""
    scope.require(*SEERS)
    wanted = RetakeFilter(states=state or (), site_code=site, workitem_id=workitem)
    with services.database.transaction() as session:
        return queries.listed(session, scope, wanted, page=page, page_size=page_size)


@router.post("/workitems/{workitem_id}/retakes", status_code=201)
def request_retake(
    workitem_id: UUID, body: RetakeBody, scope: Asking, services: Parts
) -> RetakeView:
    """Send an exam back to its site to be made again."""
    with services.database.transaction() as session:
        retake_id = service.request(session, scope, workitem_id, body).id
    return get_retake(retake_id, scope, services)


@router.get("/retakes/{retake_id}")
def get_retake(retake_id: UUID, scope: Asking, services: Parts) -> RetakeView:
    """Return one retake."""
    scope.require(*SEERS)
    with services.database.transaction() as session:
        return queries.one(session, scope, retake_id)


@router.post("/retakes/{retake_id}/acknowledge")
def acknowledge_retake(
    retake_id: UUID, body: AnswerBody, scope: Asking, services: Parts
) -> RetakeView:
    """Say as the site that the exam will be made again."""
    return changed(get_retake, retake_id, scope, services, service.acknowledge, body)


@router.post("/retakes/{retake_id}/book")
def book_retake(retake_id: UUID, body: BookBody, scope: Asking, services: Parts) -> RetakeView:
    """Say as the site when the exam will be made again."""
    return changed(get_retake, retake_id, scope, services, service.book, body.booked_for)


@router.post("/retakes/{retake_id}/calls")
def record_retake_call(
    retake_id: UUID, body: CallBody, scope: Asking, services: Parts
) -> RetakeView:
    """Take down that somebody of the site was rung."""
    return changed(get_retake, retake_id, scope, services, service.call, body)


@router.post("/retakes/{retake_id}/decline")
def decline_retake(retake_id: UUID, body: ReasonBody, scope: Asking, services: Parts) -> RetakeView:
    """Say as the site that the exam cannot be made again."""
    return changed(get_retake, retake_id, scope, services, service.decline, body.reason)


@router.post("/retakes/{retake_id}/receive")
def receive_retake(
    retake_id: UUID, body: ReceiveBody, scope: Asking, services: Parts
) -> RetakeView:
    """Say by hand which study came in its place."""
    return changed(get_retake, retake_id, scope, services, service.receive, body.workitem_id)


@router.post("/retakes/{retake_id}/close")
def close_retake(retake_id: UUID, scope: Asking, services: Parts) -> RetakeView:
    """Find that the new study will do."""
    return changed(get_retake, retake_id, scope, services, service.close)


@router.post("/retakes/{retake_id}/cancel")
def cancel_retake(retake_id: UUID, scope: Asking, services: Parts) -> RetakeView:
    """Take the request back; what there is goes back to the queue."""
    return changed(get_retake, retake_id, scope, services, service.cancel)
