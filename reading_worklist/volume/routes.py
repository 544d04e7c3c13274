"""Quality notes and montages over HTTP, for the centre and for the site of the study."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from reading_worklist.portal.people import SITE_ROLES
from reading_worklist.services import Asking, Parts
from reading_worklist.volume import queries
from reading_worklist.volume.schemas import QualityView
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.objects import ObjectKey

router = APIRouter(prefix="/api", tags=["quality"])


@router.get("/workitems/{workitem_id}/quality")
def get_quality(workitem_id: UUID, scope: Asking, services: Parts) -> QualityView:
    """Return what was found about the volumes of a study, and its montages.

    Notes that stand come first, then those a later completion no longer showed.
    """
    scope.require(*CENTRE_ROLES, *SITE_ROLES)
    with services.database.transaction() as session:
        return queries.quality(session, scope, workitem_id)


@router.get(
    "/series/{series_id}/montage",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 304: {}},
)
def get_montage(
    series_id: int,
    scope: Asking,
    services: Parts,
    request: Request,
    revision: Annotated[int | None, Query()] = None,  # noqa: ARG001 -- makes the address new
) -> Response:
    """Return the picture of a series at a glance, as JPEG.

    It changes only with the series, whose revision makes its address; browsers
    ask again each time, so that nothing is shown to whoever may no longer see it.
    """
    scope.require(*CENTRE_ROLES, *SITE_ROLES)
    with services.database.transaction() as session:
        found = queries.montage(session, scope, series_id)
    tag = f'"{found.object_key.rpartition("/")[2]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("If-None-Match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    data = services.objects.read(ObjectKey(found.object_key))
    return Response(data, media_type="image/jpeg", headers=headers)
