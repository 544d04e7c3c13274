"""Notes about an exam as the API gives and takes them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, StringConstraints

from reading_worklist.exam_notes.tables import Side
from reading_worklist.workitems.schemas import SiteView

NOTE_MAX = 2_000


class NoteBody(BaseModel):
    """What is written; plain text."""

    text: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=NOTE_MAX, pattern=r"^[^\x00]*$"
        ),
    ]


class NoteView(BaseModel):
    """One note. seen_at, seen_by: the first of the other side who saw it."""

    id: UUID
    side: Side
    author: str
    organisation: str
    organisation_en: str
    text: str
    at: datetime
    seen_at: datetime | None
    seen_by: str | None


class Thread(BaseModel):
    """The notes about an exam, the oldest first.

    side: the asker's. unread: how many of the other side nobody of the asker's has seen.
    """

    side: Side
    notes: list[NoteView]
    unread: int


class UnreadThread(BaseModel):
    """An exam with notes that nobody of the asker's side has seen; last_…: the latest of them.

    exam_id: of its reading, else of its order, else of its study.
    """

    exam_id: UUID
    workitem_id: UUID | None
    order_id: UUID | None
    site: SiteView
    patient_name: str
    unread: int
    last_text: str
    last_at: datetime
