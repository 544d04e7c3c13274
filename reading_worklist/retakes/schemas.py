"""Retakes as the API gives and takes them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, StringConstraints

from reading_worklist.retakes.states import RetakeKind, RetakeState
from reading_worklist.workitems.schemas import PatientView, PersonView, SiteView, StudyView
from storage.orders.words import Priority

_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class RetakeBody(BaseModel):
    """Why an exam has to be made again, and who was rung; of a STAT exam somebody has to be."""

    kind: RetakeKind = RetakeKind.RETAKE
    reason: _Text
    called_name: _Line = ""
    called_phone: _Line = ""


class AnswerBody(BaseModel):
    """What the site says to it; may be empty."""

    answer: _Line = ""


class ReasonBody(BaseModel):
    """Why."""

    reason: _Text


class ReceiveBody(BaseModel):
    """The workitem of the study that came instead."""

    workitem_id: UUID


class RetakeView(BaseModel):
    """One retake as both sides see it.

    study: that cannot be used; new_study_instance_uid: what came in its place.
    actions: those this person may take now.
    """

    id: UUID
    workitem_id: UUID
    order_id: UUID
    kind: RetakeKind
    state: RetakeState
    priority: Priority
    reason: str
    site: SiteView
    patient: PatientView
    study: StudyView
    requested_by: PersonView
    requested_at: datetime
    called_name: str | None
    called_phone: str | None
    acknowledged_by: PersonView | None
    acknowledged_at: datetime | None
    answer: str | None
    new_study_instance_uid: str | None
    received_at: datetime | None
    ended_at: datetime | None
    actions: list[str]
    revision: int


class RetakePage(BaseModel):
    """A page of retakes: those that wait first, of these the oldest first."""

    items: list[RetakeView]
    total: int
    page: int
    page_size: int
