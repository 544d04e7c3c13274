"""Notes about an exam over HTTP, alike for the site and for the centre.

    GET  /api/exams/{id}/notes         → Thread; id of the reading, the order or the study
    POST /api/exams/{id}/notes {text}  → Thread (201)
    POST /api/exams/{id}/notes/seen    → Thread; what the other side wrote has been read
    GET  /api/exam-notes/unread        → list of UnreadThread

Live event: `exam_note` with the ids of the exam: workitem, order, study, as far as it has them.
"""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from reading_worklist.exam_notes import service
from reading_worklist.exam_notes.schemas import NoteBody, Thread, UnreadThread
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api", tags=["exam notes"])


@router.get("/exam-notes/unread")
def list_unread_exam_notes(scope: Asking, services: Parts) -> list[UnreadThread]:
    """Return the exams with notes of the other side that nobody of one's own has seen."""
    with services.database.transaction() as session:
        return service.unread(session, scope)


@router.get("/exams/{exam_id}/notes")
def list_exam_notes(exam_id: UUID, scope: Asking, services: Parts) -> Thread:
    """Return what site and centre wrote to each other about an exam."""
    with services.database.transaction() as session:
        return service.thread(session, scope, exam_id)


@router.post("/exams/{exam_id}/notes", status_code=HTTPStatus.CREATED)
def write_exam_note(exam_id: UUID, body: NoteBody, scope: Asking, services: Parts) -> Thread:
    """Write to the other side; what it wrote counts as seen."""
    with services.database.transaction() as session:
        return service.write(session, scope, exam_id, body.text)


@router.post("/exams/{exam_id}/notes/seen")
def see_exam_notes(exam_id: UUID, scope: Asking, services: Parts) -> Thread:
    """Say that what the other side wrote has been read."""
    with services.database.transaction() as session:
        return service.see(session, scope, exam_id)
