"""Marks of mutual recognition over HTTP, for consortium administrators.

    GET  /api/recognition-marks                                → MarkView[]
    POST /api/recognition-marks       {site_code, modality, …} → MarkView[] (201)
    POST /api/recognition-marks/{id}/end   {last_day, reason}  → MarkView[]

Problems: 403 forbidden · 404 not-found · 409 already-marked, not-in-its-days · 422 invalid-request.
"""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from reading_worklist.recognition_marks import service
from reading_worklist.recognition_marks.schemas import MarkBody, MarkEndBody, MarkView
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api/recognition-marks", tags=["agreements"])


@router.get("")
def list_recognition_marks(scope: Asking, services: Parts) -> list[MarkView]:
    """Return the marks of visible sites, those that have ended too."""
    with services.database.transaction() as session:
        return service.shown(session, scope)


@router.post("", status_code=HTTPStatus.CREATED)
def grant_recognition_mark(body: MarkBody, scope: Asking, services: Parts) -> list[MarkView]:
    """Let a site's exams of a modality carry a mark."""
    with services.database.transaction() as session:
        service.grant(session, scope, body)
        return service.shown(session, scope)


@router.post("/{mark_id}/end")
def end_recognition_mark(
    mark_id: UUID, body: MarkEndBody, scope: Asking, services: Parts
) -> list[MarkView]:
    """End a mark; exams after that day do not carry it, what was printed stays as it is."""
    with services.database.transaction() as session:
        service.end(session, scope, mark_id, body)
        session.flush()
        return service.shown(session, scope)
