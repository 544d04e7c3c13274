"""The exams of a site as its own people see them."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from reading_worklist.workitems.schemas import (
    DeliveryStep,
    PatientView,
    RecallView,
    SiteView,
    StudyView,
)
from reading_worklist.workitems.tables import Lane
from storage.orders.words import Priority


class ExamSteps(BaseModel):
    """When the exam passed each step; None is not yet."""

    received_at: datetime
    complete_at: datetime | None
    queued_at: datetime | None
    reading_since: datetime | None
    signed_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None


class ExamView(BaseModel):
    """One exam of the site.

    step: the last one passed: queued, reading, signed, delivered or opened.
    """

    id: UUID
    lane: Lane
    priority: Priority
    step: str
    due_at: datetime
    site: SiteView
    patient: PatientView
    study: StudyView
    steps: ExamSteps
    report_version: int | None


class ExamPage(BaseModel):
    """A page of the site's exams, newest first."""

    items: list[ExamView]
    total: int
    page: int
    page_size: int


class PortalReport(BaseModel):
    """A signed report of the site; `opened_at` is the first time somebody of the site opened it.

    reviewer: None for a preliminary report. recall: None for the one that stands.
    """

    version_id: UUID
    number: int
    status: str
    issued_at: datetime
    pdf_sha256: str
    writer: str
    reviewer: str | None
    recall: RecallView | None
    opened_at: datetime | None


class ExamDetail(ExamView):
    """An exam with its reports and their way back."""

    reports: list[PortalReport]
    deliveries: list[DeliveryStep]
    viewer_url: str


class ExamFilter(BaseModel):
    """What to show; None is everything."""

    text: str | None = None
    step: str | None = None
    from_date: date | None = None
