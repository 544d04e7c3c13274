"""What the volume checks tell, as the API gives it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from reading_worklist.volume.findings import Code, Severity


class QualityState(StrEnum):
    """Whether the study as it is now has been looked at; FAILED means that a person should ask."""

    PENDING = "pending"
    CHECKED = "checked"
    FAILED = "failed"


class QualityNoteView(BaseModel):
    """One finding about a series.

    parameters: for the text of the code: `count` slices, the first of them as `items`, lengths in
        mm, angles in degrees. superseded_at: when it was no longer found; None while it stands.
    """

    id: int
    code: Code
    severity: Severity
    series_instance_uid: str
    series_number: int | None
    series_description: str | None
    generation: int
    parameters: dict[str, Any]
    found_at: datetime
    superseded_at: datetime | None


class MontageView(BaseModel):
    """A picture of a series at a glance. width, height: in pixels. tiles: slices shown."""

    url: str
    width: int
    height: int
    tiles: int


class SeriesPicture(BaseModel):
    """A series with its montage, where it has one."""

    series_instance_uid: str
    modality: str | None
    number: int | None
    description: str | None
    instance_count: int
    montage: MontageView | None


class QualityView(BaseModel):
    """What was found about a study and how its series look, series by number."""

    state: QualityState
    notes: list[QualityNoteView]
    series: list[SeriesPicture]
