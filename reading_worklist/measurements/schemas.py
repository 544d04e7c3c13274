"""Measurements as the API gives them."""

from datetime import datetime

from pydantic import BaseModel


class ConceptView(BaseModel):
    """A code with its words; `value` is empty for what somebody typed."""

    scheme: str
    value: str
    meaning: str


class MeasuredView(BaseModel):
    """A number as it was stored, with its unit in UCUM (mm, mm2, deg, [hnsf'U] …)."""

    concept: ConceptView
    value: str
    unit: str


class MeasuredImage(BaseModel):
    """The frame that was measured in. `picture_url` takes the parameters of rendered resources."""

    sop_instance_uid: str
    series_number: int | None
    instance_number: int | None
    frame_number: int
    frame_count: int
    picture_url: str


class MeasurementView(BaseModel):
    """What was measured of one thing, see `content.MeasurementGroup`.

    stored_at: when the report that holds it came; report: its SOP Instance UID.
    """

    report: str
    stored_at: datetime
    tracking_identifier: str
    tracking_uid: str
    finding: ConceptView | None
    site: ConceptView | None
    values: list[MeasuredView]
    image: MeasuredImage | None
