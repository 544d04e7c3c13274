"""What the page of one quarantined instance is told and sends."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from reading_worklist.quarantine.tables import QuarantineAction


class VersionView(BaseModel):
    """One version; header facts are None where it cannot be read."""

    received_at: datetime
    device_name: str | None
    size: int
    sha256: str
    transfer_syntax_uid: str
    patient_id: str | None
    patient_name: str | None
    patient_latin_name: str | None
    study_instance_uid: str | None
    series_instance_uid: str | None
    series_description: str | None
    rows: int | None
    columns: int | None
    number_of_frames: int | None
    unreadable: str


class DifferenceView(BaseModel):
    """One attribute in which the versions differ; None where a version does not have it."""

    tag: str
    keyword: str
    filed: str | None
    newcomer: str | None


class DecisionView(BaseModel):
    """A decision that was made."""

    action: QuarantineAction
    reason: str
    decided_by: str
    decided_at: datetime


class QuarantineDetail(BaseModel):
    """An entry with both versions.

    newcomer: the version that is kept aside; after a replacement that is the one filed before.
    filed: the version in the archive; for `patient_mismatch` another instance of the study.
    differences: empty without `filed`; for `patient_mismatch` those of the patient alone.
    same_pixels: None where one of them has no pixel data.
    rendered_path: where the filed version can be seen; None without one.
    """

    id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    calling_ae_title: str
    reason: str
    sop_instance_uid: str | None
    detail: dict[str, str]
    resolution: QuarantineAction | None
    resolved_at: datetime | None
    purged_at: datetime | None
    newcomer: VersionView | None
    filed: VersionView | None
    differences: list[DifferenceView]
    same_pixels: bool | None
    rendered_path: str | None
    decisions: list[DecisionView]
    actions: list[QuarantineAction]


class DecisionBody(BaseModel):
    """Why."""

    reason: str = Field(min_length=3, max_length=2_000)
