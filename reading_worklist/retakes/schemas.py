"""Retakes as the API gives and takes them."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, StringConstraints, model_validator

from reading_worklist.phone.said import Line, PhoneCall
from reading_worklist.retakes.states import RetakeKind, RetakeReason, RetakeState
from reading_worklist.workitems.schemas import PatientView, PersonView, SiteView, StudyView
from storage.orders.words import Priority

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class RetakeBody(BaseModel):
    """Why an exam has to be made again, and who was rung; of a STAT exam somebody has to be.

    reason: more about reason_code; without one of the list it says all.
    """

    kind: RetakeKind = RetakeKind.RETAKE
    reason_code: RetakeReason = RetakeReason.OTHER
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)] = ""
    called_name: Line = ""
    called_phone: Line = ""

    @model_validator(mode="after")
    def _told(self) -> Self:
        if self.reason_code is RetakeReason.OTHER and not self.reason:
            message = "a reason that is not on the list is said in words"
            raise ValueError(message)
        return self


class AnswerBody(BaseModel):
    """What the site says to it, and when it will make the exam; both may be missing.

    name, role: of who said it, where somebody of the centre has him on the telephone.
    """

    answer: Line = ""
    booked_for: AwareDatetime | None = None
    name: Line | None = None
    role: Line | None = None


class BookBody(BaseModel):
    """When the site will make the exam."""

    booked_for: AwareDatetime


class ReasonBody(BaseModel):
    """Why."""

    reason: _Text


class ReceiveBody(BaseModel):
    """The workitem of the study that came instead."""

    workitem_id: UUID


class RetakeView(BaseModel):
    """One retake as both sides see it.

    study: that cannot be used; new_study_instance_uid: what came in its place, and
    new_workitem_id: where it is read. due_at: until when the site answers; overdue: it has not.
    acknowledged_name: who said it on the telephone, where somebody of the centre took it down.
    actions: those this person may take now.
    """

    id: UUID
    workitem_id: UUID
    order_id: UUID
    kind: RetakeKind
    state: RetakeState
    priority: Priority
    reason_code: RetakeReason | None
    reason: str
    site: SiteView
    patient: PatientView
    study: StudyView
    requested_by: PersonView
    requested_at: datetime
    called_name: str | None
    called_phone: str | None
    due_at: datetime | None
    overdue: bool
    acknowledged_by: PersonView | None
    acknowledged_at: datetime | None
    acknowledged_name: str | None
    acknowledged_role: str | None
    answer: str | None
    booked_for: datetime | None
    calls: list[PhoneCall]
    new_study_instance_uid: str | None
    new_workitem_id: UUID | None
    received_at: datetime | None
    ended_at: datetime | None
    actions: list[str]
    revision: int


class RetakePage(BaseModel):
    """A page of retakes: those that wait first, of these the oldest first.

    waiting: how many of all that are visible wait for the site or for their new study to be seen.
    """

    items: list[RetakeView]
    total: int
    waiting: int
    page: int
    page_size: int
