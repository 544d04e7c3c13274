"""What the keeping pages are told and send."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from reading_worklist.keeping.states import PurgeAction, PurgeState
from reading_worklist.keeping.tables import StudyFate, VisitKind

REASON_LENGTH_MAX = 2_000
STUDIES_MAX = 500

Reason = Annotated[str, Field(min_length=3, max_length=REASON_LENGTH_MAX)]


class UsageByModality(BaseModel):
    """What is kept of one modality; `modality` is empty where the series names none."""

    modality: str
    series: int
    instances: int
    bytes: int


class UsageByMonth(BaseModel):
    """What was first received in one month and is still kept; `month` is its first day, UTC."""

    month: date
    instances: int
    bytes: int


class UsageByKind(BaseModel):
    """How many objects of a kind are kept: instances, quarantine, ecg_files, reports, prepared."""

    kind: str
    objects: int
    bytes: int


class SiteUsage(BaseModel):
    """What one site keeps: studies with instances, quarantined objects apart.

    by_kind: every object, those beside the instances too, as the store was last verified as a
        whole, at `counted_at`; empty before.
    """

    site_code: str
    site_name: str
    site_name_en: str
    studies: int
    instances: int
    bytes: int
    quarantined_objects: int
    quarantined_bytes: int
    by_modality: list[UsageByModality]
    by_month: list[UsageByMonth]
    by_kind: list[UsageByKind]
    counted_at: datetime | None


class Usage(BaseModel):
    """Storage use of the visible sites; counted every few minutes, last at `refreshed_at`."""

    refreshed_at: datetime | None
    sites: list[SiteUsage]


class VerificationView(BaseModel):
    """The last complete run of `rdc verify`, over all sites."""

    started_at: datetime
    ended_at: datetime
    sample: float
    objects: int
    bytes_read: int
    findings: int


class RetentionRuleView(BaseModel):
    """For how many years a site keeps; `minimum` is the national one."""

    site_id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    visit_kind: VisitKind
    years: int
    minimum: int


class RuleBody(BaseModel):
    """A rule to be set; fewer years than the national minimum are refused."""

    site_id: UUID
    visit_kind: VisitKind
    years: int = Field(ge=15, le=200)


class DueStudy(BaseModel):
    """A study that need not be kept any more; `obstacles` say why it must stay all the same."""

    study_id: UUID
    study_instance_uid: str
    study_date: date | None
    study_description: str | None
    modalities: list[str]
    instances: int
    bytes: int
    obstacles: list[str]


class DuePatient(BaseModel):
    """A patient whose records need not be kept since `due_on`, with all studies still kept."""

    patient_id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    local_id: str | None
    patient_name: str
    patient_latin_name: str
    last_visit: date
    due_on: date
    studies: list[DueStudy]


class DuePage(BaseModel):
    """A page of due patients, the longest due first."""

    items: list[DuePatient]
    total: int
    page: int
    page_size: int


class HoldBody(BaseModel):
    """Whose records must stay: all of a patient, or one study."""

    patient_id: UUID | None = None
    study_id: UUID | None = None
    reason: Reason


class HoldView(BaseModel):
    """A legal hold; released ones stay in the list."""

    id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    patient_id: UUID
    patient_name: str
    patient_latin_name: str
    local_id: str | None
    study_id: UUID | None
    study_instance_uid: str | None
    reason: str
    set_by: str
    set_at: datetime
    released_by: str | None
    released_at: datetime | None
    release_reason: str | None


class HoldPage(BaseModel):
    """A page of holds, newest first."""

    items: list[HoldView]
    total: int
    page: int
    page_size: int


class ReasonBody(BaseModel):
    """Why."""

    reason: Reason


class CommentBody(BaseModel):
    """What the one who decides says; needed for a rejection."""

    comment: str = Field(default="", max_length=REASON_LENGTH_MAX)


class ProposalBody(BaseModel):
    """Studies of one site to be removed for good."""

    study_ids: list[UUID] = Field(min_length=1, max_length=STUDIES_MAX)
    reason: Reason


class PurgeStudyView(BaseModel):
    """One study of a purge; `obstacles` are those of now, `kept_because` those at its turn."""

    study_id: UUID
    study_instance_uid: str
    patient_name: str
    patient_latin_name: str
    local_id: str | None
    study_date: date | None
    study_description: str | None
    modalities: list[str]
    due_on: date
    instances: int
    bytes: int
    fate: StudyFate
    kept_because: str | None
    obstacles: list[str]


class PurgeView(BaseModel):
    """A purge in a list; `actions` are those the asking person may take now."""

    id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    state: PurgeState
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str | None
    finished_at: datetime | None
    studies: int
    purged: int
    kept: int
    bytes: int
    actions: list[PurgeAction]


class PurgeDetail(PurgeView):
    """A purge with its studies."""

    study_list: list[PurgeStudyView]


class PurgePage(BaseModel):
    """A page of purges, newest first."""

    items: list[PurgeView]
    total: int
    page: int
    page_size: int
