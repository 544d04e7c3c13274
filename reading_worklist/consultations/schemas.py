"""Consultations as the API gives and takes them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from reading_worklist.consultations.states import ConsultationState
from reading_worklist.consultations.tables import ConsentBasis, Urgency
from reading_worklist.workitems.lane import Lane
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


class OpinionDraftBody(BaseModel):
    """What the expert has typed so far; `revision` is the one his page started from, 0 at first."""

    text: Annotated[str, StringConstraints(max_length=10_000)]
    revision: Annotated[int, Field(ge=0)]


class OpinionDraft(BaseModel):
    """An opinion that is being written."""

    text: str
    revision: int


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
    """An expert of this consortium.

    title, specialty, practising_since: None as long as nobody has entered the licence.
    may_be_asked: whether there is a licence, of so many years as the rule asks for.
    """

    person: PersonView
    organisation: str
    organisation_en: str
    title: str | None
    specialty: str | None
    practising_since: date | None
    may_be_asked: bool


class ConsultationView(BaseModel):
    """One consultation as applicant and expert see it.

    overdue: not answered when it was due. viewer_url: None to an expert once it is closed.
    actions: those this person may take now.
    draft: what the expert has typed, to himself as long as he may sign it.
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
    lane: Lane
    viewer_url: str | None
    applied_by: PersonView
    applied_at: datetime
    due_at: datetime
    overdue: bool
    invitee: PersonView
    answered_at: datetime | None
    decline_reason: str | None
    scheduled_for: datetime | None
    opinion: str | None
    draft: OpinionDraft | None
    signed_at: datetime | None
    signature_holds: bool | None
    archived_at: datetime | None
    rating: int | None
    rating_comment: str | None
    actions: list[str]
    revision: int


class ConsultationPage(BaseModel):
    """A page of consultations: unanswered ones first, by due time.

    waiting: how many of all that are visible wait for this person: of an expert, for his answer; of
        others, those with an answer that is not put to the records, and those that are overdue.
    """

    items: list[ConsultationView]
    total: int
    waiting: int
    page: int
    page_size: int
