"""Answers of the interface for fetching reports."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class IssuedItem(BaseModel):
    """One issued version, or the notice that a report is void.

    position: where it stands in the order in which everything was issued to the site.
    kind: "report", "preliminary", "addendum", "amendment", "revocation_notice".
    status: FHIR's word for it. replaces: the id of the version before it.
    standing: it counts; false: a later version or a revocation has been issued, do not show it.
    """

    id: UUID
    report_id: UUID
    position: int
    kind: str
    status: str
    version: int
    replaces: UUID | None
    standing: bool
    title: str
    issued_at: datetime
    critical: bool
    modality: str
    study_instance_uid: str
    accession_number: str
    placer_order_number: str
    filler_order_number: str
    patient_local_id: str | None
    patient_name: str
    pdf_sha256: str


class IssuedItems(BaseModel):
    """What was issued after a position, in order.

    position: to ask with next time, as `since`. more: whether something follows at once.
    """

    items: list[IssuedItem]
    position: int
    more: bool


class FetchedReport(IssuedItem):
    """A version with its content: patient, order, exam, sections, codes, measurements, signers."""

    report: dict[str, Any] = Field(description="the neutral form of the report")


class Acknowledged(BaseModel):
    """What the site's software has told us it has.

    standing: false where a later version has been issued meanwhile; fetch that one too.
    """

    id: UUID
    acknowledged_at: datetime
    standing: bool
