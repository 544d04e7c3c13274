"""The worklist over HTTP, for the people of the centre.

Changes arrive live on `/api/events` as `workitem` events (id, state, lane): a page asks again for
what it shows. Lines carry who holds a workitem and until when, and the times to count down to.
"""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import centre
from reading_worklist.worklist import board, queries, views
from reading_worklist.worklist.schemas import (
    Board,
    SavedView,
    ViewBody,
    WorkitemPage,
    WorklistRequest,
)

router = APIRouter(prefix="/api", tags=["worklist"])


@router.get("/workitems")
def list_workitems(
    wanted: Annotated[WorklistRequest, Query()], scope: Asking, services: Parts
) -> WorkitemPage:
    """Return a page of the worklist."""
    centre(scope)
    with services.database.transaction() as session:
        return queries.page(session, scope, wanted)


@router.get("/worklist/views")
def list_views(scope: Asking, services: Parts) -> list[SavedView]:
    """Return one's own views, each with how much it shows now."""
    centre(scope)
    with services.database.transaction() as session:
        return views.shown(session, scope)


@router.post("/worklist/views", status_code=HTTPStatus.CREATED)
def keep_view(body: ViewBody, scope: Asking, services: Parts) -> list[SavedView]:
    """Keep a filter under a name."""
    centre(scope)
    with services.database.transaction() as session:
        views.keep(session, scope, body)
        session.flush()
        return views.shown(session, scope)


@router.put("/worklist/views/{view_id}")
def change_view(view_id: UUID, body: ViewBody, scope: Asking, services: Parts) -> list[SavedView]:
    """Change a view of one's own."""
    centre(scope)
    with services.database.transaction() as session:
        views.keep(session, scope, body, view_id)
        session.flush()
        return views.shown(session, scope)


@router.delete("/worklist/views/{view_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_view(view_id: UUID, scope: Asking, services: Parts) -> None:
    """Forget a view of one's own."""
    centre(scope)
    with services.database.transaction() as session:
        views.remove(session, scope, view_id)


@router.get("/worklist/board")
def get_board(scope: Asking, services: Parts) -> Board:
    """Return the board for the wall."""
    centre(scope)
    with services.database.transaction() as session:
        return board.shown(session, scope)
