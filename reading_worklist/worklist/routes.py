"""The worklist over HTTP, for the people of the centre.

Changes arrive live on `/api/events` as `workitem` events, with the line as it is now: a page asks
again for what came and went. Lines carry who holds a workitem and until when, and the times to
count down to.
"""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import CENTRE_ROLES, centre
from reading_worklist.worklist import board, queries, readers, views
from reading_worklist.worklist.schemas import (
    LINES_MAX,
    AssignManyBody,
    Assignments,
    Board,
    Preferences,
    Reader,
    SavedView,
    ViewBody,
    WorkitemPage,
    WorklistLine,
    WorklistRequest,
)
from reading_worklist.worklist.shared_lines import SharedPage, json_of
from reading_worklist.worklist.sharing import Shared
from storage.registry import Role

JSON: Final = "application/json"

router = APIRouter(prefix="/api", tags=["worklist"])


@router.get("/workitems", response_model=WorkitemPage)
async def list_workitems(
    wanted: Annotated[WorklistRequest, Query()], scope: Asking, services: Parts, shared: Shared
) -> Response:
    """Return a page of the worklist."""
    centre(scope)

    def page() -> SharedPage:
        with services.database.transaction() as session:
            return queries.page(session, scope, wanted)

    key = (services.database, queries.audience(scope, wanted))
    found = await shared.pages.get(key, page)
    return Response(found.json(scope), media_type=JSON)


@router.get("/worklist/lines", response_model=list[WorklistLine])
def list_lines(
    ids: Annotated[list[UUID], Query(alias="id", max_length=LINES_MAX)],
    scope: Asking,
    services: Parts,
) -> Response:
    """Return some lines of the list as they are now, in no order.

    Those that do not exist or are not visible are left out.
    """
    centre(scope)
    with services.database.transaction() as session:
        found = queries.lines_of(session, scope, ids)
    return Response(json_of(found, scope), media_type=JSON)


@router.get("/readers")
def list_readers(scope: Asking, services: Parts) -> list[Reader]:
    """Return who reads for the consortium today, with what they have to do already."""
    centre(scope)
    with services.database.transaction() as session:
        return readers.shown(session, scope)


@router.post("/workitems/assign")
def assign_many(body: AssignManyBody, scope: Asking, services: Parts) -> Assignments:
    """Give many waiting workitems to somebody, or take them back; says what was refused."""
    with services.database.transaction() as session:
        return readers.assign_many(session, scope, body)


@router.get("/worklist/preferences")
def get_preferences(scope: Asking, services: Parts) -> Preferences:
    """Return one's own default view and columns."""
    centre(scope)
    with services.database.transaction() as session:
        return views.preferences(session, scope)


@router.put("/worklist/preferences")
def set_preferences(body: Preferences, scope: Asking, services: Parts) -> Preferences:
    """Keep one's own default view and columns."""
    centre(scope)
    with services.database.transaction() as session:
        views.prefer(session, scope, body)
        return views.preferences(session, scope)


@router.get("/worklist/views")
def list_views(scope: Asking, services: Parts) -> list[SavedView]:
    """Return one's own views and those shared with one, each with how much it shows now."""
    centre(scope)
    with services.database.transaction() as session:
        return views.shown(session, scope)


@router.post("/worklist/views", status_code=HTTPStatus.CREATED)
def keep_view(body: ViewBody, scope: Asking, services: Parts) -> list[SavedView]:
    """Keep a filter under a name."""
    centre(scope)
    with services.database.transaction() as session:
        views.keep(session, scope, body)
        return views.shown(session, scope)


@router.put("/worklist/views/{view_id}")
def change_view(view_id: UUID, body: ViewBody, scope: Asking, services: Parts) -> list[SavedView]:
    """Change a view of one's own; a dispatcher or administrator also a shared one."""
    centre(scope)
    with services.database.transaction() as session:
        views.keep(session, scope, body, view_id)
        return views.shown(session, scope)


@router.delete("/worklist/views/{view_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_view(view_id: UUID, scope: Asking, services: Parts) -> None:
    """Forget a view of one's own; a dispatcher or administrator also a shared one."""
    centre(scope)
    with services.database.transaction() as session:
        views.remove(session, scope, view_id)


@router.get("/worklist/board")
def get_board(scope: Asking, services: Parts) -> Board:
    """Return the board for the wall; a regulator sees it without names."""
    scope.require(*CENTRE_ROLES, Role.REGULATOR)
    with services.database.transaction() as session:
        return board.shown(session, scope)
