"""Consultations as the API gives and takes them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from reading_worklist.consultations.states import ConsultationState
from reading_worklist.consultations.tables import ConsentBasis, Urgency
from reading_worklist.workitems.schemas import PatientView, PersonView, SiteView, StudyView

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]


class ApplyBody(BaseModel):
    """A question to an expert; consent_note says who agreed and how, or what the emergency is."""

    invitee_id: UUID
    urgency: Urgency = Urgency.ROUTINE
    reason: _Text
    purpose: _Text
    summary: _Text
    specialty: _Line
    consent_basis: ConsentBasis
    consent_note: _Text


class ReasonBody(BaseModel):
    """Why."""

    reason: _Text


class ScheduleBody(BaseModel):
    """When the expert will look at it."""

    scheduled_for: AwareDatetime


class OpinionBody(BaseModel):
    """The opinion, and the PIN of the expert's signing key."""

    opinion: _Text
    signing_pin: Annotated[str, StringConstraints(max_length=200)]


class RatingBody(BaseModel):
    """How useful it was, from 1 to 5."""

    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)] = ""


class PractitionerBody(BaseModel):
    """A doctor's licence."""

    title: _Line
    specialty: _Line
    licence_number: _Line
    practising_since: date


class ExpertView(BaseModel):
    """Somebody who may be asked."""

    person: PersonView
    title: str
    specialty: str
    practising_since: date


class ConsultationView(BaseModel):
    """One consultation as applicant and expert see it.

    overdue: not answered when it was due. actions: those this person may take now.
    signature_holds: whether the opinion is what the expert signed; None before he has.
    """

    id: UUID
    workitem_id: UUID
    state: ConsultationState
    urgency: Urgency
    reason: str
    purpose: str
    summary: str
    specialty: str
    consent_basis: ConsentBasis
    consent_note: str
    site: SiteView
    patient: PatientView
    study: StudyView
    applied_by: PersonView
    applied_at: datetime
    due_at: datetime
    overdue: bool
    invitee: PersonView
    answered_at: datetime | None
    decline_reason: str | None
    scheduled_for: datetime | None
    opinion: str | None
    signed_at: datetime | None
    signature_holds: bool | None
    archived_at: datetime | None
    rating: int | None
    rating_comment: str | None
    actions: list[str]
    revision: int


class ConsultationPage(BaseModel):
    """A page of consultations: unanswered ones first, by due time."""

    items: list[ConsultationView]
    total: int
    page: int
    page_size: int
