"""Earlier studies as the API gives them."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, field_validator, model_validator

from reading_worklist.priors.tables import Purpose
from reading_worklist.workitems.schemas import SiteView
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Lane


class Basis(StrEnum):
    """Why a study counts as the patient's.

    PATIENT: the same patient of the same site. LINK: a person decided that the two are one.
    DOCUMENT: the same identity document, and nobody has decided it.
    """

    PATIENT = "patient"
    LINK = "link"
    DOCUMENT = "document"


class ReasonBody(BaseModel):
    """Why studies of other sites are needed; OTHER needs a note."""

    purpose: Purpose
    note: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _said(self) -> Self:
        if self.purpose is Purpose.OTHER and not self.note.strip():
            message = "say in the note why"
            raise ValueError(message)
        return self


class EmergencyBody(BaseModel):
    """Why studies are needed now that no agreement opens; the auditor reads it."""

    note: Annotated[str, Field(min_length=5, max_length=500)]

    @field_validator("note")
    @classmethod
    def _plain(cls, note: str) -> str:
        return note.strip()


class ReasonView(BaseModel):
    """The reason the asker gave for this patient, and until when it stands."""

    purpose: Purpose
    note: str
    at: datetime
    until: datetime


class PriorStudy(BaseModel):
    """One earlier study.

    patient_name, patient_id: as its own site has them.
    same_modality, same_body_part: as the study that is read.
    lane, workitem_id, state: of its own reading; None when it was never queued.
    reported: a report of it is out.
    """

    study_id: UUID
    study_instance_uid: str
    site: SiteView
    basis: Basis
    patient_name: str
    patient_id: str | None
    study_date: date | None
    study_time: time | None
    description: str | None
    accession_number: str | None
    modalities: list[str]
    body_parts: list[str]
    series_count: int
    instance_count: int
    same_modality: bool
    same_body_part: bool
    lane: Lane | None
    workitem_id: UUID | None
    state: State | None
    reported: bool


class Priors(BaseModel):
    """The patient's other studies, the latest first.

    reason_needed: there are studies at other sites, which are shown once the reason is given;
        elsewhere: how many. not_agreed: how many are at sites that do not show theirs.
    emergency: while it stands, those are shown too; may_force: the asker may say that it is one.
    """

    items: list[PriorStudy]
    elsewhere: int
    not_agreed: int
    reason_needed: bool
    reason: ReasonView | None
    emergency: ReasonView | None
    may_force: bool


class OpenedPrior(BaseModel):
    """Where the viewer shows an earlier study; opening it is in the audit trail.

    compare_url: beside the study that is read.
    """

    study_id: UUID
    viewer_url: str
    compare_url: str


class PriorReport(BaseModel):
    """The report of an earlier study that stands; reading it is in the audit trail.

    status: FHIR DiagnosticReport status word. diagnosing: the institution that reported.
    reviewer: None for a preliminary report, and where one signature was enough.
    """

    study_id: UUID
    number: int
    status: str
    issued_at: datetime
    diagnosing: str
    writer: str
    reviewer: str | None
    findings: str
    impression: str
    advice: str
    comparison: str
